// Where one is signed in; what one does not know, one ends.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import type { SignedInSession } from "../data/types";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Skeleton, State } from "../parts/state";
import { say } from "../parts/toast";
import { when, zoneOf } from "../parts/words";
import { revokeSession, sessions } from "../state/account";
import { online } from "../state/device";
import { now } from "../state/night";

export function Devices() {
  const [list, setList] = useState<SignedInSession[] | null>(null);
  const { busy, failed, run } = useAttempt();
  const load = () => run(async () => setList(await sessions()));
  useEffect(() => {
    if (online.value) void load();
  }, [online.value]);
  const end = (session: SignedInSession) =>
    run(async () => {
      await revokeSession(session.id);
      say(_("Signed out on %(device)s.", { device: nameOf(session) }));
      setList(await sessions());
    });
  return (
    <section class="p-block" aria-labelledby="devices-title">
      <div class="p-sec">
        <h2 id="devices-title">{_("Signed in on")}</h2>
      </div>
      {list ? (
        <ul class="acts">
          {list.map((session) => (
            <SessionRow key={session.id} session={session} busy={busy} onEnd={() => void end(session)} />
          ))}
        </ul>
      ) : online.value && !failed ? (
        <Skeleton rows={2} />
      ) : (
        <div class="acts">
          <State compact icon="cloud-off" title={_("The list needs signal")} text={failed || _("It shows up as soon as you are back online.")} />
        </div>
      )}
      {list && failed && (
        <p class="p-failed" role="alert">
          {failed}
        </p>
      )}
    </section>
  );
}

// icons: smartphone, monitor, key-round
function SessionRow({ session, busy, onEnd }: { session: SignedInSession; busy: boolean; onEnd: () => void }) {
  const phone = /iPhone|Android/.test(session.label);
  return (
    <li>
      <span class="ic">
        <Icon name={session.channel === "bearer" ? "key-round" : phone ? "smartphone" : "monitor"} />
      </span>
      <b>{nameOf(session)}</b>
      <small>
        {session.current ? _("This device, now") : [_("Last seen %(time)s", { time: when(session.last_seen_at, now.value, zoneOf(), true) }), session.tenant].filter(Boolean).join(" · ")}
      </small>
      <span class="amt">
        {session.current ? (
          <span class="badge accent">
            <Icon name="check" />
            {_("Here")}
          </span>
        ) : (
          <button type="button" class="btn sm" onClick={onEnd} disabled={busy || !online.value} aria-label={_("Sign out on %(device)s", { device: nameOf(session) })}>
            {_("Sign out")}
          </button>
        )}
      </span>
    </li>
  );
}

function nameOf(session: SignedInSession): string {
  return session.label || (session.channel === "bearer" ? _("An app") : _("A browser"));
}
