// One way to say something in passing, for controllers and for the server (HX-Trigger: {"ll:toast": {"text": …}}).
export type Tone = "ok" | "info" | "warn" | "danger";

export interface ToastDetail {
  text: string;
  tone?: Tone;
}

export function toast(text: string, tone: Tone = "info"): void {
  document.body.dispatchEvent(new CustomEvent<ToastDetail>("ll:toast", { detail: { text, tone } }));
}
