"""In-memory doubles of every port: fakes that pass the contract suite which judges the real adapters.

Servers (`FakeRecord`, `FakeCoordinator`, `FakeBus`, `FakeQueue`) are shared by all processes of a test; each
request to one is a turn at which another task may run. `gates` wraps the ports of one process, so that it can
die or lose an answer at any call, on fakes and on real stores alike.
"""
