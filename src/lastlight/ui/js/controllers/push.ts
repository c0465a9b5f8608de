import { Controller } from "@hotwired/stimulus";
import { consoleWorker, remember } from "../push/console";
import type { Device, Standing } from "../push/device";
import { standing, switchOff, switchOn } from "../push/device";
import { gettext as _ } from "../i18n";
import { toast } from "../toast";
import { Refused } from "../wire/api";

/** This browser's notifications: shows the one part that is true now, switches them on and off. */
export default class PushController extends Controller<HTMLElement> {
  static override targets = ["part", "button"];
  declare readonly partTargets: HTMLElement[];
  declare readonly buttonTargets: HTMLButtonElement[];
  private current: Device | undefined;

  override connect(): void {
    void this.look();
  }

  async on(): Promise<void> {
    await this.attempt(async () => {
      const device = await switchOn(consoleWorker);
      if (device) remember(true);
      if (device) toast(_("This device is told from now on."), "ok");
      else toast(_("The browser did not allow it. You can ask again whenever you like."), "warn");
    });
  }

  async off(): Promise<void> {
    await this.attempt(async () => {
      if (this.current) await switchOff(consoleWorker, this.current.id);
      remember(false);
      toast(_("This device is told nothing any more."), "info");
    });
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    for (const button of this.buttonTargets) button.disabled = true;
    try {
      await work();
    } catch (error) {
      toast(error instanceof Refused ? error.message : _("The browser's push service could not be reached. Try again in a moment."), "danger");
    }
    for (const button of this.buttonTargets) button.disabled = false;
    await this.look();
    document.body.dispatchEvent(new CustomEvent("ll:devices"));
  }

  private async look(): Promise<void> {
    try {
      const found = await standing(consoleWorker);
      this.current = found.devices.find((device) => device.current);
      this.show(found.standing);
    } catch {
      this.show("failed");
    }
  }

  private show(which: Standing | "failed"): void {
    for (const part of this.partTargets) part.hidden = part.dataset.when !== which;
  }
}
