/** Put the icons that came with a script into the page: an app that has them there asks for no file of them. */
export function placeIcons(drawings: string): void {
  const holder = document.createElement("div");
  holder.hidden = true;
  holder.append(new DOMParser().parseFromString(drawings, "image/svg+xml").documentElement);
  document.body.append(holder);
}

/** One icon of the sprite. With a label it is an image that says so; without, decoration. */
export function Icon({ name, label, class: extra = "" }: { name: string; label?: string; class?: string }) {
  const cls = extra ? `i ${extra}` : "i";
  return label ? (
    <svg class={cls} role="img" aria-label={label}>
      <use href={ICON_SPRITE + name} />
    </svg>
  ) : (
    <svg class={cls} aria-hidden="true">
      <use href={ICON_SPRITE + name} />
    </svg>
  );
}
