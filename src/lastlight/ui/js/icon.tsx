/** One icon of the sprite. With a label it is an image that says so; without, decoration. */
export function Icon({ name, label, class: extra = "" }: { name: string; label?: string; class?: string }) {
  const cls = extra ? `i ${extra}` : "i";
  return label ? (
    <svg class={cls} role="img" aria-label={label}>
      <use href={`${ICON_SPRITE}#${name}`} />
    </svg>
  ) : (
    <svg class={cls} aria-hidden="true">
      <use href={`${ICON_SPRITE}#${name}`} />
    </svg>
  );
}
