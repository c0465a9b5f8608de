// A press that counts only when it is held: release cancels, and how far it is can be seen.
const STEP_MS = 50;

interface Told {
  tick: (ms: number) => void;
  end: (fired: boolean) => void;
}

export class Hold {
  private began = 0;
  private timer: number | undefined;

  constructor(
    private readonly lasts: number,
    private readonly told: Told,
  ) {}

  get running(): boolean {
    return this.timer !== undefined;
  }

  start(): void {
    if (this.running) return;
    this.began = performance.now();
    this.timer = window.setInterval(() => this.step(), STEP_MS);
    this.told.tick(0);
  }

  cancel(): void {
    if (this.running) this.finish(false);
  }

  private step(): void {
    const held = performance.now() - this.began;
    this.told.tick(Math.min(held, this.lasts));
    if (held >= this.lasts) this.finish(true);
  }

  private finish(fired: boolean): void {
    window.clearInterval(this.timer);
    this.timer = undefined;
    this.told.end(fired);
  }
}
