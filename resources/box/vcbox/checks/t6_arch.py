"""The build of PyTorch has binary code for the compute capability of every card."""

from vcbox.checks import bench_look, gpu_look, load_look
from vcbox.checks.base import Profile, Raw, Result, judged
from vcbox.parsers.lock import covers

ID, TITLE, SUITE, NEEDS = "t6_arch", "PyTorch has kernels for the card", bench_look.SUITE, 4
gather = bench_look.gather


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := load_look.stop(raw):
        return stop
    told = load_look.records(raw["run"], "measured", what="arch")
    cards = load_look.records(raw["run"], "card")
    if not told or len(cards) < raw["gpus"]:
        return load_look.broken(raw["run"], "its list of kernels", bench_look.ADVICE)
    archs = told[0]["archs"]
    without = [card for card in cards if not covers(archs, card["capability"])]
    wanted, source = gpu_look.threshold(gpu_look.gpu_profile(profile).get("computeCapability"), "value")
    want = f"kernels for {', '.join(sorted({card['capability'] for card in cards}))}"
    text = f"torch {told[0]['torch']}: {', '.join(archs)}"
    advice = "This PyTorch was not built for the card: install layer 4 from a bundle for this profile."
    if without:
        value = ", ".join(f"GPU {card['gpu']} is {card['capability']}" for card in without)
        return judged(
            False, f"{value}; kernels for {', '.join(archs)}", want, advice, source=source, evidence=text
        )
    other = [card for card in cards if wanted is not None and card["capability"] != wanted]
    value = ", ".join(sorted({card["capability"] for card in cards}))
    return judged(not other, value, f"kernels for {wanted or value}", advice, source=source, evidence=text)
