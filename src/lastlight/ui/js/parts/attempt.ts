// One try at something that may fail: busy while it runs, what is wrong after, by field where the server says so.
import { useState } from "preact/hooks";
import { gettext as _ } from "../i18n";
import { Refused } from "../wire/api";

export interface Attempt {
  busy: boolean;
  failed: string;
  fields: Record<string, string>;
  run: (work: () => Promise<void>) => Promise<void>;
}

export function useAttempt(): Attempt {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  const [fields, setFields] = useState<Record<string, string>>({});
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setFailed("");
    setFields({});
    try {
      await work();
    } catch (error) {
      const refused = error instanceof Refused ? error : null;
      setFields(refused?.problem.fields ?? {});
      setFailed(refused?.message ?? _("No connection. Check the network and try again."));
    } finally {
      setBusy(false);
    }
  };
  return { busy, failed, fields, run };
}
