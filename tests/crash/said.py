"""What a store or daemon promised, what came of it, and how both are counted."""

import collections
import statistics
import sys


class Said:
    """What was promised over the rounds of one store: lines "A n" accepted, "S n" sent, "R n" recorded, "U n" in doubt."""

    def __init__(self):
        self.accepted = set()
        self.recorded = set()
        self.sent = collections.Counter()
        self.highest = 0

    def add(self, text):
        """Returns the mails sent and not recorded in this life."""
        open_ones = set()
        for line in text.splitlines():
            word, _, number = line.partition(" ")
            if not number.isdigit():
                continue  # the last line, cut by the kill
            n = int(number)
            self.highest = max(self.highest, n)
            if word == "A":
                self.accepted.add(n)
            elif word == "S":
                self.sent[n] += 1
                open_ones.add(n)
            elif word == "R":
                self.recorded.add(n)
                open_ones.discard(n)
        return open_ones

    @property
    def twice(self):
        return {n for n, times in self.sent.items() if times > 1}


class Result(collections.Counter):
    """Counts over the rounds of one kind: rounds, accepted, twice, and what breaks a promise.

    lost: acknowledged and not there, or recorded as sent and not so; unlisted: sent twice, or in doubt, and not
    among the mails that are called uncertain; unopened: the next process did not start; wrong: any other promise.
    """

    BROKEN = ("lost", "unlisted", "unopened", "wrong")

    def __init__(self):
        super().__init__()
        self.rates = []
        self.most_in_doubt = 0      # after one death
        self.label = ""             # kind, round and seed of the round under way
        self.is_control = False

    @property
    def broken(self):
        return sum(self[name] for name in self.BROKEN)

    @property
    def rate(self):
        """Mails accepted a second while it lived: the median of the rounds."""
        return round(statistics.median(self.rates)) if self.rates else 0

    def doubt(self, count, most):
        self.most_in_doubt = max(self.most_in_doubt, count)
        if count > most:
            self.say("wrong", count - most, f"{count} mails in doubt after one death, of {most} connections")

    def say(self, name, count, what):
        """COUNT breaches of a promise; a control's are not worth a line."""
        if count == 0:
            return
        self[name] += count
        if not self.is_control:
            print(f"{self.label}: {name} {count}: {what}", file=sys.stderr, flush=True)


def some(numbers, most=5):
    """The first few, for a message."""
    first = sorted(numbers)[:most]
    return ", ".join(map(str, first)) + (", …" if len(numbers) > most else "")
