import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { operation } from '../../src/upstream/declare.ts'
import { testRun } from '../helpers/call.ts'
import { json, type Script } from '../helpers/raw-upstream.ts'
import { wire } from '../helpers/wire.ts'

const Body = z.object({ index: z.number() })
const listed = [200, 201, 404, 408, 409, 422, 425, 429, 500, 501, 502, 503, 504] as const
const others = [202, 410, 505] as const
const retried: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])
const failed = (status: number) => status >= 500 || retried.has(status)

const responses = Object.fromEntries(listed.map(status => [status, Body])) as Readonly<
  Record<(typeof listed)[number], typeof Body>
>

test('whatever statuses the attempts have, the call gets the answer of the last attempt if its status is listed', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...listed, ...others), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 2, max: 4 }),
      async (statuses, maxAttempts) => {
        const script: Script = (socket, { index }) => socket.write(json({ index }, statuses[index]))
        const { send, upstream, close } = await wire(t, script, operation({ path: '/', responses }), {
          retry: { maxAttempts, initialDelay: 0, maxDelay: 0 },
          retryBudget: { minPerSecond: 1000 },
        })
        const run = testRun()
        const result = await send(run).then(
          ({ value }) => value,
          error => error as { readonly upstreamStatus: number },
        )
        await close()

        // The oracle: a status that may pass is sent again, as without `responses`.
        const first = statuses.findIndex((status, at) => at === maxAttempts - 1 || !retried.has(status))
        const last = statuses[first] as number
        const isAnswer = (listed as readonly number[]).includes(last)
        t.equal(upstream.requests.length, first + 1)
        t.match(result, isAnswer ? { status: last, body: { index: first } } : { upstreamStatus: last })
        t.match(
          run.events.filter(({ type }) => type === 'attempt ended').map(event => 'code' in event && event.code),
          statuses
            .slice(0, first + 1)
            .map(status =>
              isAnswer && !failed(status)
                ? undefined
                : status === 429 || status === 503
                  ? 'UPSTREAM_BUSY'
                  : 'UPSTREAM_STATUS',
            ),
        )
      },
    ),
    { numRuns: 60 },
  )
})
