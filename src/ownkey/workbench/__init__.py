"""The workbench: test any model, compare models, and learn how they perform.

    records      the words: suites, targets, observations, results, run plans. Pure
    suites/      curated suites, imports of people's own, limits
    endpoint/    calling a model and measuring the time; failure kinds; the connection check; presets
    graders/     telling a good answer from a bad one
    engine/      executing a run: order, concurrency, retries, caps
    metrics/     figures of a run, exactly as docs/metrics.md defines them
    comparison/  paired statistics and the verdict in words
    chat/        questions to the tested model about its own results
    export/      CSV, JSON, JSONL, JUnit, HTML
    hosting/     what a server adds: sessions, stored targets and suites, runs as durable jobs, erasure

One engine serves the REST API, the page and the command line.
"""
