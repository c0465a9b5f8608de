// A guest's photos of a venue: sent with words, then shown or refused by the venue, and told so here.
import { useState } from "preact/hooks";
import { Icon } from "../../../../ui/js/icon";
import { gettext as _ } from "../../../../ui/js/i18n";
import { useAttempt } from "../../../../ui/js/parts/attempt";
import { Dialog } from "../../../../ui/js/parts/dialog";
import { Alert, Field } from "../../../../ui/js/parts/field";
import { isOpen, refusalOf, Unreachable } from "../../../../ui/js/wire/api";
import { placeFor, type Place } from "../../../../ui/js/wire/place";
import type { OwnPhoto, VenueShow } from "../data/types";
import { online } from "../state/device";
import { say } from "./toast";

const MOST_BYTES = 5 * 1024 * 1024;

export function Photos({ show, again }: { show: VenueShow; again: () => Promise<void> }) {
  const [asking, setAsking] = useState(false);
  return (
    <section class="p-block" aria-labelledby="photos-title">
      <div class="p-sec">
        <h2 id="photos-title">{_("Your photos")}</h2>
      </div>
      {show.photos.length > 0 && (
        <ul class="acts">
          {show.photos.map((photo) => (
            <PhotoRow key={photo.id} photo={photo} />
          ))}
        </ul>
      )}
      <button type="button" class="p-btn" onClick={() => setAsking(true)} disabled={!online.value}>
        <Icon name="image-plus" />
        {_("Send a photo")}
      </button>
      <p class="u-xs u-dim p-note">{_("The venue decides which photos others see. Where you took it is not kept.")}</p>
      {asking && <PhotoDialog venue={show} onClose={() => setAsking(false)} again={again} />}
    </section>
  );
}

// icons: clock, check, ban, circle-alert, image
function PhotoRow({ photo }: { photo: OwnPhoto }) {
  const [icon, tone, word] =
    photo.state === "failed"
      ? ["circle-alert", "danger", _("Could not be used")]
      : photo.moderation === "approved"
        ? ["check", "ok", _("Shown")]
        : photo.moderation === "rejected"
          ? ["ban", "", _("Not shown")]
          : ["clock", "warn", _("Waiting for the venue")];
  const why = photo.state === "failed" ? photo.state_reason : photo.moderation === "rejected" ? photo.moderation_reason : "";
  return (
    <li>
      {photo.small ? (
        <img class="ic p-thumb" src={photo.small} alt="" />
      ) : (
        <span class="ic">
          <Icon name="image" />
        </span>
      )}
      <b>{photo.alt}</b>
      <small>{why}</small>
      <span class="amt">
        <span class={`badge ${tone}`}>
          <Icon name={icon} />
          {word}
        </span>
      </span>
    </li>
  );
}

interface DialogProps {
  venue: VenueShow;
  onClose: () => void;
  again: () => Promise<void>;
}

function PhotoDialog({ venue, onClose, again }: DialogProps) {
  const [file, setFile] = useState<File | null>(null);
  const [alt, setAlt] = useState("");
  const [wrong, setWrong] = useState("");
  const [place, setPlace] = useState<(Place & { file: File }) | null>(null);
  const { busy, failed, fields, run } = useAttempt();
  const send = () => {
    if (!file) return setWrong(_("Choose a photo first."));
    if (file.size > MOST_BYTES) return setWrong(_("This photo is larger than 5 MB. Choose a smaller one."));
    setWrong("");
    void run(async () => {
      const to = place?.file === file && place.alt === alt ? place : { file, ...(await placeFor(`/api/patron/venues/${venue.id}/photos`, alt)) };
      setPlace(to);
      await put(to, file).catch((error: unknown) => {
        if (!isOpen(error)) setPlace(null);
        throw error;
      });
      say(_("Sent. You see here what the venue decides."));
      onClose();
      await again();
    });
  };
  return (
    <Dialog label={_("Send a photo")} onClose={onClose}>
      <form
        class="p-book"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <h2>{_("Send a photo of %(venue)s", { venue: venue.name })}</h2>
        <Alert text={Object.keys(fields).length ? "" : failed} />
        <div class="field">
          <label for="photo-file">{_("Photo")}</label>
          <input class="input" id="photo-file" type="file" accept="image/png,image/jpeg,image/gif,image/webp" aria-describedby="photo-wrong" aria-invalid={wrong ? true : undefined} onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
          <span class="err" id="photo-wrong" role="alert">
            {wrong}
          </span>
        </div>
        <Field label={_("What does it show?")} name="alt" value={alt} onValue={setAlt} maxLength={300} hint={_("For those who do not see it, such as: friends at the pinball tables.")} error={fields.alt} required />
        <div class="p-actions">
          <button type="submit" class="p-btn go" aria-busy={busy} disabled={busy || !online.value}>
            <Icon name="send" />
            {_("Send")}
          </button>
          <button type="button" class="p-btn" onClick={onClose}>
            {_("Cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The picture itself goes as it is; larger than other calls, so it may take its time. */
async function put({ address, key }: Place, file: File): Promise<void> {
  const headers = { "content-type": file.type, "idempotency-key": key };
  const answer = await fetch(address, { method: "PUT", credentials: "same-origin", headers, body: file }).catch((error: unknown) => {
    throw new Unreachable(String(error));
  });
  if (!answer.ok) throw await refusalOf(answer);
}
