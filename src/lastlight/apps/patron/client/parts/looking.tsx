// The bar of somebody of the crew who looks with this guest's eyes: as on a console's pages, with the way back.
import { useEffect } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { wipe } from "../data/database";
import { stopListening } from "../state/heartbeat";
import { me, quietly } from "../state/night";
import { clock } from "./words";

/** Where one's own session leads back by itself once a look is over. */
const OVER = "/sign-in";

export function LookingBar() {
  const look = me.value?.looking;
  const ends = look?.ends_at ?? "";
  useEffect(() => {
    if (!ends) return;
    const timer = setTimeout(() => void forget().then(() => location.replace(OVER)), Math.max(0, Date.parse(ends) - Date.now()));
    return () => clearTimeout(timer);
  }, [ends]);
  if (!look) return null;
  return (
    <div class="looking" id="looking" role="region" aria-label={_("You are only looking")}>
      <Icon name="venetian-mask" />
      <span class="text">
        <b>{_("%(actor)s is looking as %(subject)s.", { actor: look.by, subject: look.subject })}</b> {_("Reason: %(reason)s", { reason: look.reason })}{" "}
        <span class="until">
          {_("Nothing can be changed; until")} <time dateTime={ends}>{clock(ends)}</time>.
        </span>
      </span>
      <form method="post" action="/looking/end" onSubmit={(event) => void stop(event)}>
        <button class="btn sm" type="submit">
          {_("Stop looking")}
        </button>
      </form>
    </div>
  );
}

async function stop(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  await forget();
  form.submit();
}

/** Nothing of the guest stays in the browser of who looked. */
async function forget(): Promise<void> {
  const guest = me.value?.user_id;
  stopListening();
  if (guest) await quietly(() => wipe(guest)).catch(() => undefined);
}
