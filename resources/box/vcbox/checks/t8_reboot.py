"""What the layers set up is there again after a boot. Before it the state is kept and the reboot asked for."""

from vcbox.checks import before_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, not_run

ID, TITLE, SUITE, NEEDS = "t8_reboot", "A reboot keeps everything", "integration", 1
LISTED = 5


def gather(look: Look) -> Raw:
    if look.hands is None:
        return {"why": "only a job of the app can reboot the box"}
    if not before_look.is_after(look):
        before_look.keep(look)
        return {"why": "it comes after the reboot"}
    started = before_look.settle(look)
    return {
        "why": None,
        "before": before_look.before(),
        "boot": before_look.boot_id(look),
        "now": before_look.state(look),
        "started": started["out"].strip(),
        "failed": look.command("systemctl", "list-units", "--failed", "--no-legend", "--plain")["out"],
    }


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["why"]:
        return not_run(raw["why"], "Let the run go on: resume.")
    old = raw["before"]
    if old is None:
        return error("what was there before the reboot was not kept", "Run the suite again.")
    if old["boot"] == raw["boot"]:
        return not_run("the box was not rebooted", "Run the suite again, and let it reboot.")
    then, now = old["state"], raw["now"]
    other = [name for name in then if now.get(name) != then[name]]
    texts = [f"{name}: {short(now.get(name))} instead of {short(then[name])}" for name in other]
    value = (
        "; ".join(texts[:LISTED])[:1000] or f"{len(then)} things are as before, systemd is {raw['started']}"
    )
    evidence = "\n".join([raw["failed"], *(f"{name}: {now[name]}" for name in now)])
    return judged(
        not other,
        value,
        "all is as before the reboot",
        "Check the layers again; run the one it names.",
        evidence=evidence,
    )


def short(text: str | None) -> str:
    return repr((text or "").strip()[:80])
