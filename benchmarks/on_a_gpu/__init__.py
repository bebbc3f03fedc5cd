"""Everything that is to be measured on a GPU, prepared as one command of at most nine minutes.

    bash benchmarks/on_a_gpu.sh [--device cuda] [--out DIR] [--data PREPARED] [--minutes 9] [--dry-run]
    python -m benchmarks.on_a_gpu --collect [NAME ...]

A GPU is often lent for minutes, with Python and torch but without a network. So packages that the training needs can be
brought along: with `--collect`, pip downloads their wheels into benchmarks/wheels/ (those named, or all), and a run
installs from there what it cannot import. The data are drawn there: photos, or shapeworld where the photographs are not
installed. Each step is a process with a budget in seconds. One that exceeds it is ended, and one that fails keeps no
other from running. Results are written after each measurement into --out, by default $OUT or benchmarks/results/gpu:

- gpu.csv: a row for each measurement, the median, the least and the most of n repeats;
- ladder.csv and paper-rate.csv: what `benchmarks.summary` and `course.book.tables` fill their pages from;
- provenance.json: machine, versions, and how each step ended; log.txt: what the steps printed.

These questions are open in the book until it has run: whether a GPU reaches the CPU's results; how much two runs
differ, and whether `--deterministic` ends that (cost.md); whether a full memory ends in a sentence (cost.md); what
graphs and several processes gain, and what deterministic algorithms cost (further.md); how many images per second of
the paper's network an H200 trains, and what share of its peak that is (cost.md).

`--device cpu --dry-run` runs every step at its smallest size. This measures nothing.
"""
