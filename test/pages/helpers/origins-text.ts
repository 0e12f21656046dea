import { z } from 'zod'
import { explain } from '../../../src/explain/explain.ts'
import { explanationText } from '../../../src/explain/explanation-text.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'

/** Returns the lines that `headwaters explain` prints for an upstream whose origins come from the environment. */
export async function originLines(): Promise<string[]> {
  const users = defineUpstream('users', { origin: 'http://a' }, { get: operation({ path: '/', output: z.unknown() }) })
  const calling = aggregate('calling', { url: '/calling' })
    .required('it', () => users.get())
    .reply(z.unknown(), () => 1)
  const named = { origin: 'http://users.internal:8080', weight: 2, addresses: true }
  const origins = [
    { origin: '10.0.0.11:8080', state: 'available', active: 1, latencyMs: 12 },
    { origin: '10.0.0.22:8080', state: 'ejected', active: 0, latencyMs: 31 },
  ] as const
  const explanation = await explain(
    calling,
    {},
    {
      overrides: { users: { origins: ['http://10.0.0.11:8080', named] } },
      variableOf: () => 'HEADWATERS_UPSTREAM_USERS_ORIGINS',
      stateOf: () => ({ breaker: 'closed', permits: 64, active: 3, queued: 0, origins }),
    },
  )
  return explanationText(explanation).split('\n')
}
