// Commands as they are kept: on the phone; where it has no room or keeps nothing, in this page's memory for as long as it is open.
import { database, type Command } from "./database";

/** What the phone could not write down, newer than what it may have of the same command. */
const inMemory = new Map<string, Command>();
/** Those that were answered while the phone could not forget them: they are not sent again by this page. */
const over = new Set<string>();

/** Write a command down; true when the phone has it. */
export async function write(command: Command): Promise<boolean> {
  try {
    await (await database()).put("commands", command);
    inMemory.delete(command.id);
    return true;
  } catch {
    inMemory.set(command.id, command);
    return false;
  }
}

/** Try again to write what stands in memory only. */
export async function writeAgain(): Promise<void> {
  for (const command of [...inMemory.values()]) await write(command);
}

/** Whether only this page knows of a command. */
export function isUnkept(id: string): boolean {
  return inMemory.has(id);
}

export function countUnkept(): number {
  return inMemory.size;
}

/** What was kept in memory, whoever's it is. */
export function unkept(): Command[] {
  return [...inMemory.values()];
}

export async function commandsOf(userId: string): Promise<Command[]> {
  const onPhone = await database()
    .then((store) => store.getAllFromIndex("commands", "user_id", userId))
    .catch((): Command[] => []);
  const mine = [...inMemory.values()].filter((command) => command.user_id === userId);
  const all = new Map([...onPhone, ...mine].map((command) => [command.id, command]));
  return [...all.values()].filter((command) => !over.has(command.id));
}

/** A command as it stands now; undefined once it is answered. */
export async function find(id: string): Promise<Command | undefined> {
  if (over.has(id)) return undefined;
  return inMemory.get(id) ?? (await database().then((store) => store.get("commands", id), () => undefined));
}

/** Change a command in one transaction: one that is dropped meanwhile, by this page or another, does not come back. */
export async function change(id: string, edit: (command: Command) => Command): Promise<void> {
  try {
    const transaction = (await database()).transaction("commands", "readwrite");
    const onPhone = await transaction.store.get(id);
    const now = over.has(id) ? undefined : (inMemory.get(id) ?? onPhone);
    if (now) await transaction.store.put(edit(now));
    await transaction.done;
    if (inMemory.get(id) === now) inMemory.delete(id);
  } catch {
    const now = await find(id);
    if (now && !over.has(id)) inMemory.set(id, edit(now));
  }
}

export async function drop(id: string): Promise<void> {
  inMemory.delete(id);
  over.add(id);
  await database()
    .then((store) => store.delete("commands", id))
    .then(() => over.delete(id), () => undefined);
}

/** It was answered, and has gone from the phone with that answer; `isGone` is false where the phone could not do so. */
export function forget(id: string, isGone: boolean): void {
  inMemory.delete(id);
  if (!isGone) over.add(id);
}

/** Nothing of this person stays in memory either. */
export function wipeMemory(userId: string): void {
  for (const command of [...inMemory.values()]) if (command.user_id === userId) inMemory.delete(command.id);
}
