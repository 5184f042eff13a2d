"""Deterministic simulation testing of the use cases on in-memory fakes; crash points on real stores too.

`environment` holds queues, function instances, stores and a bus. Three ways explore it:

- `scenarios` and `crash_points` inject a fault at every call of a port, then at every pair of calls.
- `interleavings` and `test_state_machine` try orders of deliveries and of calls, all of them or at random.
- `simulated_run` derives a workload, an interleaving and a `fault_schedule` from one seed. `shrinking`
  reduces a failing run to a short trace.

`mutants.txt` lists the guards of the service with text patches that remove them: then some seed must fail.
"""
