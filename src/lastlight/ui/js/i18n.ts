// The same catalogue as the templates': English is the source, the build turns each other language into one JSON file.
type Catalogue = Record<string, string | string[]>;

let catalogue: Catalogue = {};
let plural = new Intl.PluralRules("en");
let forms: string[] = ["one", "other"];

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/%\((\w+)\)[sd]/g, (whole, key: string) => String(values[key] ?? whole));
}

/** Load a language once, before the first render; an unknown one stays English. */
export async function useLanguage(tag: string): Promise<void> {
  const language = tag.split("-")[0] ?? "en";
  const url = CATALOGUES[tag] ?? CATALOGUES[language];
  if (!url) return;
  const answer = await fetch(url);
  if (!answer.ok) return;
  catalogue = (await answer.json()) as Catalogue;
  plural = new Intl.PluralRules(language);
  forms = plural.resolvedOptions().pluralCategories;
}

export function gettext(text: string, values: Record<string, string | number> = {}): string {
  const found = catalogue[text];
  return fill(typeof found === "string" && found ? found : text, values);
}

export function ngettext(one: string, many: string, n: number, values: Record<string, string | number> = {}): string {
  const found = catalogue[one];
  const index = Math.max(0, forms.indexOf(plural.select(n)));
  const chosen = Array.isArray(found) ? found[Math.min(index, found.length - 1)] : undefined;
  return fill(chosen || (n === 1 ? one : many), { ...values, num: n });
}
