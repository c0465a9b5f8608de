import { Controller } from "@hotwired/stimulus";

/** Opens a <dialog> that is already on the page: data-action="opener#open" data-opener-dialog-param="its-id". */
export default class OpenerController extends Controller<HTMLElement> {
  open(event: Event & { params: { dialog?: string } }): void {
    const dialog = document.getElementById(event.params.dialog ?? "");
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  }
}
