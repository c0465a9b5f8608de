// One gettext catalogue for templates and TSX: each locales/<tag>/LC_MESSAGES/messages.po becomes a JSON file.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export function* catalogues(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = join(folder, entry.name, "LC_MESSAGES", "messages.po");
    if (entry.isDirectory() && existsSync(file)) yield [entry.name, JSON.stringify(read(readFileSync(file, "utf8")))];
  }
}

/** Messages by their English text; a plural is a list of its forms; fuzzy and empty ones stay English. */
function read(po) {
  const messages = {};
  for (const block of po.split(/\n\s*\n/)) {
    if (/^#,.*\bfuzzy\b/m.test(block)) continue;
    const fields = fieldsOf(block);
    if (!fields.msgid) continue;
    const forms = Object.keys(fields).filter((key) => key.startsWith("msgstr[")).sort().map((key) => fields[key]);
    if (forms.length ? forms.every(Boolean) : fields.msgstr) messages[fields.msgid] = forms.length ? forms : fields.msgstr;
  }
  return messages;
}

function fieldsOf(block) {
  const fields = {};
  let key = null;
  for (const line of block.split("\n")) {
    const match = line.match(/^(?:(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+)?(".*")\s*$/);
    if (!match) continue;
    key = match[1] ?? key;
    if (key) fields[key] = (fields[key] ?? "") + JSON.parse(match[2]);
  }
  return fields;
}
