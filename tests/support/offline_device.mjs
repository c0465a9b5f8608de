// A phone or a scanner: storage that outlives its pages, pages that are killed in the middle of anything, locks that die with them.
import { build } from "esbuild";
import * as fake from "fake-indexeddb";

const SOURCES = {
  door: ["log", "unwritten", "device", "database", "decide", "pass", "clock"].map((name) => [name, `./src/lastlight/apps/door/client/data/${name}`]),
  guest: ["outbox", "kept", "database", "claim"].map((name) => [name, `./src/lastlight/apps/patron/client/data/${name}`]),
  staff: [["outbox", "./src/lastlight/ui/js/wire/outbox"]],
};
const OWN = ["globalThis", "navigator", "indexedDB", "fetch", "BroadcastChannel", "Date"];
const IDB = ["IDBCursor", "IDBDatabase", "IDBIndex", "IDBKeyRange", "IDBObjectStore", "IDBRequest", "IDBTransaction"];

/** The apps' own modules, each as a function that makes a page of them. */
export async function bundles() {
  const made = {};
  for (const [kind, sources] of Object.entries(SOURCES)) {
    const contents = [...sources, ["uuid", "./src/lastlight/ui/js/wire/uuid"]].map(([name, path]) => `export * as ${name} from "${path}";`).join("\n");
    const options = { bundle: true, format: "iife", globalName: "page", write: false, target: "node18", logLevel: "error" };
    const { outputFiles } = await build({ stdin: { contents, resolveDir: process.cwd(), loader: "ts" }, ...options });
    made[kind] = new Function(...OWN, ...IDB, `${outputFiles[0].text}\nreturn page;`);
  }
  return made;
}

export class Device {
  constructor(make, { network, client }) {
    Object.assign(this, { make, network, client, storage: new fake.IDBFactory(), pages: [], kills: 0, held: null, queue: [] });
    /** What its clock shows: the plan's time while somebody acts, else the true one; `skew` is how far it is off. */
    this.at = null;
    this.skew = 0;
    /** There is no room: nothing is written. */
    this.full = false;
  }

  /** Open the app: a page on what earlier ones left. */
  open() {
    const page = { dead: false, fuse: Infinity, connections: new Set() };
    page.died = new Promise((resolve) => (page.bury = resolve));
    const navigator = { userAgent: "offline", locks: { request: (_name, work) => this.lock(page, work) } };
    const own = { crypto: globalThis.crypto, navigator };
    const idb = IDB.map((name) => fake[name]);
    page.app = this.make(own, navigator, this.storageOf(page), this.fetchOf(page), Silent, this.clock(), ...idb);
    this.pages.push(page);
    return page;
  }

  /** A page that nobody kills any more. */
  rest() {
    const page = this.pages[0] ?? this.open();
    page.fuse = Infinity;
    return page;
  }

  /** Close a page that has nothing in hand. */
  close(page) {
    this.kill(page);
    this.kills -= 1;
  }

  /** End a page at once: what it was writing is undone, what it was waiting for never comes. */
  kill(page) {
    if (page.dead) return;
    page.dead = true;
    this.kills += 1;
    for (const connection of page.connections) {
      for (const transaction of connection._rawDatabase?.transactions ?? []) {
        if (transaction.db !== connection || transaction._state === "finished") continue;
        try {
          transaction.abort();
        } catch {
          // it had ended
        }
      }
      connection.close();
    }
    this.pages = this.pages.filter((other) => other !== page);
    this.queue = this.queue.filter((turn) => turn.page !== page);
    if (this.held === page) this.next();
    page.bury("killed");
  }

  /** One step nearer to the moment when the page is to die. */
  burn(page) {
    page.fuse -= 1;
    if (page.fuse < 0) this.kill(page);
    if (page.dead) throw new Error("killed");
  }

  fetchOf(page) {
    const send = this.network.for(this.client);
    return async (path, options) => {
      this.burn(page);
      const outcome = await send(path, options).then((answer) => () => answer, (error) => () => { throw error; });
      if (page.dead) return new Promise(() => undefined);
      this.burn(page);
      return outcome();
    };
  }

  storageOf(page) {
    const open = (...about) => {
      const asking = this.storage.open(...about);
      asking.addEventListener("success", () => {
        const connection = asking.result;
        page.connections.add(connection);
        const begin = connection.transaction.bind(connection);
        connection.transaction = (...given) => {
          this.burn(page);
          if (this.full && given[1] === "readwrite") throw new DOMException("there is no room", "QuotaExceededError");
          return begin(...given);
        };
      });
      return asking;
    };
    return { open };
  }

  lock(page, work) {
    return new Promise((resolve, reject) => {
      this.queue.push({ page, run: () => Promise.resolve().then(work).then(resolve, reject) });
      if (!this.held) this.next();
    });
  }

  next() {
    const turn = this.queue.shift();
    this.held = turn?.page ?? null;
    if (!turn) return;
    const over = () => {
      if (this.held === turn.page && !turn.over) this.next();
      turn.over = true;
    };
    turn.run().then(over, over);
    turn.page.died.then(() => (turn.over = true));
  }

  clock() {
    const device = this;
    return class extends Date {
      constructor(...given) {
        if (given.length) super(...given);
        else super(device.now());
      }

      static now() {
        return device.now();
      }
    };
  }

  now() {
    return (this.at ?? Date.now()) + this.skew;
  }
}

class Silent {
  postMessage() {}

  close() {}
}

/** Do something on a page, until it is done or the page is dead. */
export async function until(page, work) {
  const dead = page.died.then(() => ({ killed: true }));
  const done = Promise.resolve().then(work).then((value) => (page.dead ? { killed: true } : { value }), (error) => {
    if (page.dead || error?.message === "killed") return { killed: true };
    throw error;
  });
  return Promise.race([done, dead]);
}
