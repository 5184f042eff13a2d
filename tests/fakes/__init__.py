"""In-memory fakes of every port; they pass the contract suite that judges the real adapters.

`FakePostgres`, `FakeCoordinator`, `FakeBus` and `FakeQueue` stand for servers: all processes of a test share
them. Before each request a fake yields to the cooperative scheduler, so that another task may run.
`failpoints` wraps the ports of one process, over fakes and real stores alike, to inject faults at each call.
"""
