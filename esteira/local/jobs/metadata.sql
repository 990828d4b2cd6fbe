-- The metadata store of the environment local: what Vertex ML Metadata keeps of runs.
-- Times are seconds since 1970, UTC. Version 1.
CREATE TABLE contexts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,          -- resource name
    kind TEXT NOT NULL,                 -- system.Pipeline or system.PipelineRun
    created_s REAL NOT NULL
);
CREATE TABLE executions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,                  -- the run's id
    task TEXT NOT NULL,
    state TEXT NOT NULL,                -- RUNNING, COMPLETE, CACHED, FAILED, CANCELLED
    folder TEXT NOT NULL,               -- where its outputs lie
    cache_key TEXT NOT NULL DEFAULT '',
    cached_from INTEGER REFERENCES executions (id),
    parameters TEXT NOT NULL DEFAULT '{}',
    output_parameters TEXT NOT NULL DEFAULT '{}',
    started_s REAL NOT NULL,
    finished_s REAL
);
CREATE INDEX executions_by_cache_key ON executions (cache_key, state, id);
CREATE INDEX executions_by_run ON executions (run);
CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,                 -- the schema's title
    schema TEXT NOT NULL,               -- JSON: the type as it stands in the job
    uri TEXT NOT NULL,
    state TEXT NOT NULL,                -- PENDING, LIVE, ABANDONED, DELETED
    metadata TEXT NOT NULL,             -- JSON
    extent TEXT NOT NULL DEFAULT '',    -- number and bytes of its files when it became LIVE
    created_s REAL NOT NULL
);
CREATE INDEX artifacts_by_type ON artifacts (type, state, id);
CREATE INDEX artifacts_by_uri ON artifacts (uri);
CREATE TABLE events (
    execution INTEGER NOT NULL REFERENCES executions (id),
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    direction TEXT NOT NULL,            -- INPUT or OUTPUT
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (execution, direction, key, position)
);
CREATE TABLE attributions (
    context INTEGER NOT NULL REFERENCES contexts (id),
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (context, artifact)
);
CREATE TABLE drivers (
    cache_key TEXT PRIMARY KEY,
    answer TEXT NOT NULL                -- JSON: the ExecutorOutput that the driver wrote
);
