import type { FaultKind } from './fault.ts'
import type { DemoAnswer } from './route.ts'

/** Answers that go wrong; the other kinds of fault are not in what is said but in how. */
export const faultAnswer: Readonly<Record<Exclude<FaultKind, 'reset' | 'slow'>, DemoAnswer>> = {
  // It says what no caller of ours may ever see, so that a leak can be tested for.
  error: {
    status: 500,
    body: { error: 'connect ECONNREFUSED 10.20.0.7:5432', stack: 'at Pool.connect (/srv/app/lib/db.js:88:13)' },
  },
  unavailable: { status: 503, headers: { 'retry-after': '1' }, body: { message: 'Service Unavailable' } },
  'broken-json': { text: '{"data": [{"fact": "Cats' },
  'wrong-shape': { body: { unexpected: true, items: null } },
}
