"""In-memory fakes of every port; they pass the contract suite that judges the real adapters.

Servers (`FakePostgres`, `FakeCoordinator`, `FakeBus`, `FakeQueue`) are shared by all processes of a test.
Each request to one is a turn at which another task may run. `failpoints` wraps the ports of one process, so
that it can die or lose an answer at any call, on fakes and on real stores alike.
"""
