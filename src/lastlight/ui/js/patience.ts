// A live block does not change under the hands of who works in it: while a menu of it is open or a field of it has the
// focus, its refetch waits, and comes when they are done.
interface RequestEvent extends Event {
  detail: { ctx: { sourceElement: Element } };
}

const BUSY = "details.menu[open], input:not([type=checkbox], [type=radio]):focus, select:focus, textarea:focus";

export function waitForHands(): void {
  document.addEventListener("htmx:before:request", (event) => {
    const block = (event as RequestEvent).detail.ctx.sourceElement;
    if (!(block instanceof HTMLElement) || block.dataset.liveBlock === undefined || !block.querySelector(BUSY)) return;
    event.preventDefault();
    block.dataset.waiting = "true";
  });
  document.addEventListener("toggle", resume, true);
  document.addEventListener("focusout", resume);
}

function resume(): void {
  window.setTimeout(() => {
    for (const block of document.querySelectorAll<HTMLElement>("[data-live-block][data-waiting]")) {
      if (block.querySelector(BUSY)) continue;
      delete block.dataset.waiting;
      document.body.dispatchEvent(new CustomEvent("ll:resync", { detail: { reason: "waited" } }));
    }
  }, 0);
}
