"""AWS's quotas and our own capacity bounds: value, unit, source.

Names end in their unit. For a quota that AWS documents, the page is given; for our own bound, the reason. `unverified`
marks a figure that we have not found in any documentation.
"""

from __future__ import annotations

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"

# Telemetry and the dashboard.
RATE_WINDOW_S = 5.0
"""Rates are means over this time: short enough to see a burst, long enough to span a tick at the default speed."""
HISTORY_SLOTS = 960
"""Slots of the charts' history: four per column of a wide screen; twice the time halves the resolution."""
HISTORY_SLOT_S = 0.25
"""The finest slot, the time between two samples of the store."""
HISTORY_MARKS = 1024
"""How many ticks the charts' time axis can show."""
HISTORY_KEEP_S = 600.0
"""How far back the charts go in a run without an end."""
EVENTS_KEPT = 64
"""Events kept as text, more than the tallest screen shows."""
EVENT_REPEAT_S = 2.0
"""An event that repeats within this time is counted on its existing line, so that a flood leaves others visible."""

# The twin.
SAMPLE_S = 0.25
"""Interval for reading the store's counters, the same as the dashboard's."""
DRAIN_LOOK_S = 0.05
"""Interval for checking whether the queue is empty."""
FAULTS_STAY_S = 60.0
"""How long `simulate --fault` may strike what is in work once all is sent."""
SCENARIO_LOOK_S = 0.1
"""Interval for checking whether a scenario's next step is due."""
SCENARIO_END_S = 1.0
"""How long a scenario's last steps may wait, after the drain, until they are due: a sample must show it first."""

# Our own processes.
OPEN_FILES = 10_240
"""Requested limit; macOS grants no more. A default run opens some 130 per process, a load test at 300/s some 250."""
OPEN_FILES_LEAST = 256
SILENCE_LOOK_S = 1.0
"""Interval for checking whether a process has answered."""
SILENCE_LOOKS = 10
"""Checks in a row without an answer; a process that is merely slow answers such a question in a hundredth of that."""

# Making the stack's resources.
TABLE_ACTIVE_ATTEMPTS = 30
"""Checks of a new table, one per second: a local endpoint answers ACTIVE at once; one that needs longer is stuck."""


# Lambda: functions and execution environments -----------------------------------------------------------------------
# Lambda Developer Guide, "Lambda quotas" (gettingstarted-limits) and "Function scaling" (lambda-concurrency).

# The higher figures are from the API model of November 2026 (CreateFunction). Whether an ordinary function gets more
# than the confirmed ones is not known yet: up to the higher figure a stack is valid, above the confirmed one we advise
# against.
FUNCTION_TIMEOUT_S = (1, 1_800)
FUNCTION_TIMEOUT_S_CONFIRMED = 900
FUNCTION_TIMEOUT_S_MANAGED = (1, 5_400)  # on Managed Instances, for asynchronous events and mappings
FUNCTION_MEMORY_MB = (128, 32_768)
FUNCTION_MEMORY_MB_CONFIRMED = 10_240
# "Lambda runtimes", and the API model's list (Runtime): functions can no longer be created with those before 3.8 (with
# 3.8, 3.9 and 3.10 until February 2027, though they are deprecated); the last ones are only in the model.
PYTHON_RUNTIMES_ENDED = ("2.7", "3.6", "3.7")
PYTHON_RUNTIMES = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
PYTHON_RUNTIMES_UNCONFIRMED = ("3.15",)
ENVIRONMENT_BYTES = 4096  # all variables of a function together
LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")  # "Log-level filtering", the lowest first
INIT_TIMEOUT_S = 10.0  # "Lambda execution environment": the init phase
SYNC_PAYLOAD_BYTES = 6 * 1024 * 1024  # each way; metadata and wrapper count
RESPONSE_PAYLOAD_BYTES = SYNC_PAYLOAD_BYTES + 100  # what the Runtime API accepts as a response
ASYNC_PAYLOAD_BYTES = 1024 * 1024
SENT_FILE_BYTES = 256 * 1024 * 1024  # of --send and --event, which are held in memory
ACCOUNT_CONCURRENCY = 1_000  # default of a Region; new accounts start lower
UNRESERVED_CONCURRENCY_MINIMUM = 100  # what reservations must leave to the other functions
ENVIRONMENTS_BURST = 1_000  # a function gains this many environments ...
ENVIRONMENTS_BURST_S = 10.0  # ... per this long, refilled continuously
ENVIRONMENT_REQUESTS_PER_S = 10.0  # one environment serves at most this many requests per second
# Unpublished; AWS only says that environments are kept "for some time" and recycled "every few hours".
ENVIRONMENT_IDLE_S = 420.0
ENVIRONMENT_AGE_S = (7_200.0, 14_400.0)

# Lambda: event source mapping of a standard queue -------------------------------------------------------------------
# Lambda Developer Guide, "Using Lambda with Amazon SQS": services-sqs-scaling, -configure, -parameters.

MAPPING_INITIAL_CONCURRENCY = 5
MAPPING_IDLE_CONCURRENCY = 2  # "as few as 2"; not with a maximum concurrency
MAPPING_GROWTH_PER_MINUTE = 300
MAPPING_CONCURRENCY = 1_250
MAPPING_MAXIMUM_CONCURRENCY = (2, 1_000)  # range of ScalingConfig.MaximumConcurrency
MAPPING_BATCH_SIZE = (1, 10_000)
MAPPING_BATCH_SIZE_WITHOUT_WINDOW = 10
MAPPING_WINDOW_S = (0, 300)
MAPPING_VISIBILITY_MARGIN_S = 30  # window + timeout + this, where the queue's own visibility is shorter
MAPPING_FILTERS = (5, 10)  # per mapping: by default, and at most, on request
FILTER_PATTERN_CHARACTERS = 4_096
FILTER_COMBINATIONS = 1_000  # from a $or; EventBridge User Guide, "Comparison operators for use in event patterns"
MAPPING_RECEIVERS = 5  # long polls open at once: 15 empty receives per minute, as observed on AWS

PROVISIONED_POLLERS_MINIMUM = (2, 200)
PROVISIONED_POLLERS_MAXIMUM = (2, 10_000)  # API reference, ProvisionedPollerConfig
PROVISIONED_POLLER_CONCURRENCY = 10
PROVISIONED_POLLER_CALLS_PER_S = 10.0
PROVISIONED_POLLER_BYTES_PER_S = 1024 * 1024
PROVISIONED_GROWTH_PER_MINUTE = 1_000
PROVISIONED_CONCURRENCY = 20_000

# Unpublished: how fast a mapping scales down, and how it backs off. Our own estimates.
MAPPING_LOW_TRAFFIC_S = 60.0
MAPPING_IDLE_S = 300.0
MAPPING_THROTTLE_BACKOFF_S = (0.25, 3.0)
MAPPING_ERROR_BACKOFF_S = (0.1, 5.0)

# Our own bounds, for the twin's machinery.
HANDLER_GRACE_S = 1.0  # how long a cancelled handler may still hold its environment
LOG_FILES_OPEN = 64
LOG_LINE_CHARACTERS = 1_048_576  # a longer line without an end is cut
HTTP_HEAD_BYTES = 65_536  # request line and headers, of a runtime client or a client of the sink
MEMORY_LOOK_S = 0.05  # how often a busy process's memory is checked
ENVIRONMENTS_CLOSING = 64  # closed at once
CODE_CACHED = 48  # folders of what pip installed, and of unpacked zips; another removes the oldest
POLL_SLICE_S = 1  # of a long poll, if nobody can end it: so a soft stop never abandons an answer in transit
MAPPING_QUIET_S = 1.0  # a receive that waits so long has found no message

# Lambda: asynchronous invocation. Lambda Developer Guide, "Asynchronous invocation" (invocation-async).

ASYNC_RETRIES = (0, 2)
ASYNC_EVENT_AGE_S = (60, 21_600)
ASYNC_ERROR_DELAYS_S = (60.0, 120.0)  # after the first and the second function error
ASYNC_THROTTLE_BACKOFF_S = (1.0, 300.0)  # throttles and service errors, until the event is too old
ASYNC_CONCURRENCY = 20  # events of a function that run at once: our own bound; AWS's is not published
ASYNC_QUEUED_EVENTS = 100_000  # our own bound; AWS's is not published

# EventBridge User Guide, "Creating a rule that runs on a schedule".

SCHEDULE_YEARS = (1970, 2199)

# The load test ------------------------------------------------------------------------------------------------------
# Our own bounds.

LOAD_RATE_PER_S = 20_000.0  # no Python process sends more
LOAD_OBJECTS = 5_000_000  # 32 bytes each are kept for the whole run
LOAD_ROWS = 1_000_000  # per object, which is made in memory
LOAD_EARLY_MESSAGES = 10_000  # deleted before the generator has said which ones they are
LOAD_FILE_BYTES = 8 * 1024 * 1024  # of --object, which goes to the generator in one line
LOAD_DURATION_S = (1.0, 86_400.0)
LOAD_SENDERS = 64  # puts in flight; an arrival beyond these is dropped and counted
LOAD_FILL_SENDERS = 8  # concurrent puts that build a backlog: local endpoints get no faster with more
LOAD_SEND_TIMEOUT_S = 60.0
LOAD_PREPARED_OBJECTS = 4_096  # signed and ready, waiting for their instant
LOAD_PREPARED_BYTES = 64 * 1024 * 1024
LOAD_PREPARED_S = 60.0  # a signature is valid for 15 minutes on AWS
LOAD_PREPARE_SLACK_S = 0.002  # with less time than this until an arrival, nothing more is prepared
LOAD_REPORT_S = 0.1  # interval of the generator's reports
LOAD_PULSE_S = 1.0  # the same while there is nothing to report
LOAD_FAILURES_SHOWN = 5  # reasons of failed puts in each report
LOAD_LAG_P99_S = 0.1  # a generator later than this measures itself: its percentiles are discarded
LOAD_SERIES_POINTS = 600  # points of a run's course in its summary
LOAD_SEARCH_S = 60.0  # no further probe begins after this: somebody is waiting for the result
LOAD_DELETES = 1_000  # keys per DeleteObjects: Amazon S3 API Reference
LOAD_CEILING_S = 2.0
LOAD_CEILING_CLIENTS = 4
LOAD_GENERATOR_NICE = -10  # requested; if the system refuses, the test runs without it
LOAD_GENERATOR_START_S = 20.0  # time for the generator's process to get ready
LOAD_SINK_START_S = 20.0
LOAD_LATENCY_LONGEST_S = 86_400.0  # histograms end here

# The store: DynamoDB --------------------------------------------------------------------------------------------------
# Developer Guide, "Service, account, and table quotas", "Constraints", "Supported data types and naming rules".

DYNAMODB_BATCH_WRITE_ITEMS = 25
DYNAMODB_BATCH_KEYS = 100  # of a BatchGetItem
DYNAMODB_BATCH_GET_BYTES = 16 * 1024 * 1024
DYNAMODB_BATCH_WRITE_BYTES = 16 * 1024 * 1024
DYNAMODB_ITEM_BYTES = 400 * 1024
DYNAMODB_HASH_KEY_BYTES = 2_048
DYNAMODB_RANGE_KEY_BYTES = 1_024
DYNAMODB_PAGE_BYTES = 1024 * 1024  # one page of Query and Scan
DYNAMODB_NESTING_LEVELS = 32
DYNAMODB_NUMBER_DIGITS = 38
DYNAMODB_NUMBER_EXPONENT_MAXIMUM = 125
DYNAMODB_NUMBER_EXPONENT_MINIMUM = -130

# "On-demand capacity mode", "Best practices for designing partition keys". Units per second.
ON_DEMAND_NEW_TABLE_WRITE_UNITS = 4_000
ON_DEMAND_NEW_TABLE_READ_UNITS = 12_000
ON_DEMAND_TABLE_QUOTA_UNITS = 40_000
TABLE_UNITS = 2**63 - 1  # of provisioned capacity; the account's quota, which may be raised, is far lower
TABLE_LOCAL_INDEXES = 5
TABLE_GLOBAL_INDEXES = 20  # more only on request
ON_DEMAND_PEAK_AGE_S = 1_800.0  # a peak of this age may be doubled at once
PARTITION_WRITE_UNITS = 1_000
PARTITION_READ_UNITS = 3_000
PROVISIONED_BURST_S = 300.0  # unused capacity is kept for this long (unverified)

# The store: SQS and S3 ------------------------------------------------------------------------------------------------
# SQS Developer Guide, "Amazon SQS standard queue quotas" and "message quotas"; S3 User Guide, "Optimizing performance".

SQS_IN_FLIGHT_MESSAGES = 120_000
SQS_VISIBILITY_TIMEOUT_S = (0, 43_200)
SQS_DELAY_S = (0, 900)
SQS_RETENTION_S = (60, 1_209_600)
SQS_RECEIVE_WAIT_S = (0, 20)
SQS_MESSAGE_BYTES = (1_024, 1_048_576)
QUEUE_RECEIVES = 1_000  # in a redrive policy
SQS_BATCH_ENTRIES = 10  # per batch call, and per receive
SQS_MOVE_RATE_PER_S = (1, 500)
SQS_MOVE_TASKS_ACTIVE = 100
SQS_MOVE_TASKS_LISTED = 10
S3_KEY_BYTES = 1_024
S3_UPLOAD_PARTS = 10_000
S3_WRITES_PER_S = 3_500  # per partitioned prefix; a new bucket is one
S3_READS_PER_S = 5_500
S3_EARLIER_BYTES = 256 * 1024 * 1024  # replaced contents kept per bucket for the proof; our own bound
# The events that a notification may name: S3 API Reference, NotificationConfiguration, and the API model's list
# (Event).
S3_EVENTS = frozenset(
    {
        "s3:ReducedRedundancyLostObject",
        "s3:LifecycleTransition",
        "s3:IntelligentTiering",
        "s3:ObjectAcl:Put",
        "s3:ObjectRetention:Put",
        *(
            f"s3:{subject}:{event}"
            for subject, events in {
                "ObjectCreated": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
                "ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
                "ObjectRestore": ("Post", "Completed", "Delete"),
                "Replication": (
                    "OperationFailedReplication",
                    "OperationNotTracked",
                    "OperationMissedThreshold",
                    "OperationReplicatedAfterThreshold",
                ),
                "LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
                "ObjectTagging": ("Put", "Delete"),
                "ObjectAnnotation": ("Put", "Delete"),
            }.items()
            for event in ("*", *events)
        ),
    }
)
S3_NOTIFICATION_BYTES = 65_536  # S3 User Guide: the maximum size of an event notification

# The proof and real files ---------------------------------------------------------------------------------------------
# Our own bounds.

AUDIT_CACHE_KIB = 8_192  # memory for the list of objects; the rest goes to disk
AUDIT_MEMORY_BYTES = 48 * 1024 * 1024  # memory for statements; the rest goes to disk
AUDIT_STATEMENT_BYTES = 350  # memory that a statement takes, without its last text
AUDIT_PARTITIONS = 256  # one of them is in memory at a time when the keys are judged
AUDIT_CHUNK_BYTES = 65_536  # read from an object at once: its rows occupy the loop for some 25 ms
AUDIT_AT_ONCE = 8  # objects, or parts of a sample's keys, that are read at a time
AUDIT_READ_ATTEMPTS = 3  # for a body that breaks off; the client retries only requests without an answer
AUDIT_RECORD_BYTES = 16 * 1024 * 1024  # the longest line of a file of rejected rows that is read as one record
AUDIT_SAMPLE_SHARE, AUDIT_SAMPLE_LEAST, AUDIT_SAMPLE_MOST = 0.05, 20, 2_000  # of the objects, with --audit sample
AUDIT_PAUSE_S = 0.1  # before keys that a table did not process are read again
AUDIT_IDLE_READS = 100  # in a row of which the table processed no key: it never will
AUDIT_OBJECT_S, AUDIT_ROW_S = 2e-3, 3e-5  # our own estimate for a laptop, to announce how long an audit takes
AUDIT_DIFFERENCES = 10  # described in words
SOURCE_HEAD_BYTES = 262_144  # of a file's decompressed content: its settings are guessed from this
SOURCE_CHUNK_BYTES = 65_536  # read from a file at once during inspection
SOURCE_PUT_BYTES = 16 * 1024 * 1024  # in a single put, held in memory; signing a larger one would block the loop
SOURCE_PART_BYTES = 8 * 1024 * 1024

# Documents that a user gives ------------------------------------------------------------------------------------------
# CloudFormation User Guide, "Understand CloudFormation quotas"; S3's of notifications: S3 General Reference, quotas.

TEMPLATE_BYTES = 1_048_576
TEMPLATE_RESOURCES = 500
BUCKET_NOTIFICATIONS = 100
SCENARIO_BYTES = 1_048_576  # our own bound
SUMMARY_BYTES = 256 * 1024 * 1024  # our own bound; a load test of an hour writes a megabyte
