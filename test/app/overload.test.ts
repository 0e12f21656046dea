import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import { catFacts } from '../../src/routes/cat-facts.ts'
import type { ProblemBody } from '../helpers/problem.ts'
import { serveApp } from '../helpers/served-app.ts'
import { upstreamsApart } from '../helpers/upstreams-apart.ts'
import { isExact } from '../helpers/timing.ts'

const concurrency = 64
const callers = 200
/**
 * A machine that does nothing else is held to the design's numbers; one that runs other tests too is given more time.
 */
/** What a refusal may take at its 99th percentile, in ms. */
const refusalBound = isExact ? 10 : 500
const served: AnyAggregate = isExact ? catFacts : { ...catFacts, route: { ...catFacts.route, deadline: 5000 } }

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: Partial<ProblemBody> & { readonly complete?: boolean }
}

/** Asks once, on a connection of its own. */
function ask(port: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/v1/cat-facts?count=50', agent: false }, response => {
      text(response).then(
        body =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfter: response.headers['retry-after'],
            body: JSON.parse(body) as Answer['body'],
          }),
        reject,
      )
    })
    asked.on('error', reject)
    asked.end()
  })
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number
}

test('under overload each caller gets a complete reply or an immediate refusal', async t => {
  const upstreams = await upstreamsApart(t, { seed: 7 })
  const refusals: number[] = []
  const { port, get } = await serveApp(t, {
    aggregates: [served],
    // The permits are the limit here. The callers share the event loop with the service and make it late.
    pressure: { loopDelay: 0 },
    overrides: Object.fromEntries(
      Object.entries(upstreams.origins).map(([name, origin]) => [
        name,
        // A retry beside other work would ask more than once.
        { origin, ...(!isExact && { attemptTimeout: 5000 }) },
      ]),
    ),
    before(app) {
      const since = new WeakMap<object, number>()
      app.addHook('onRequest', (each, _reply, done) => {
        since.set(each, performance.now())
        done()
      })
      app.addHook('onResponse', (each, reply, done) => {
        if (reply.statusCode === 503) refusals.push(performance.now() - (since.get(each) as number))
        done()
      })
    },
  })

  /** One wave of callers; tells how many were admitted. */
  async function wave() {
    refusals.length = 0
    const answers = await Promise.all(Array.from({ length: callers }, () => ask(port)))
    const whole = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 503)
    const others = answers.filter(({ status }) => status !== 200 && status !== 503)
    t.same(
      others.map(({ status, body }) => `${status} ${body.code}`),
      [],
      'every caller gets an answer or a refusal',
    )
    t.ok(whole.length > 0 && refused.length > 0, `${whole.length} are answered and ${refused.length} refused`)
    t.ok(
      whole.every(({ body }) => body.complete === true),
      'who is answered gets the whole answer',
    )
    t.ok(
      refused.every(({ retryAfter, body }) => Number(retryAfter) >= 1 && body.code === 'BULKHEAD_FULL'),
      'who is refused hears why, and when to come again',
    )

    const sorted = refusals.toSorted((a, b) => a - b)
    const p99 = percentile(sorted, 0.99)
    t.equal(sorted.length, refused.length)
    t.comment(
      `refusals inside the service: median ${percentile(sorted, 0.5).toFixed(1)} ms, p99 ` +
        `${p99.toFixed(1)} ms; 99 of 100 must be below ${refusalBound} ms`,
    )
    t.ok(p99 < refusalBound, `99 of 100 refusals are written within ${refusalBound} ms`)
    return whole.length
  }

  // A service that has run for a while: the compiler is warm.
  for (let times = 0; times < 10; times++) await get('/v1/cat-facts?count=50')
  const before = await upstreams.counts()

  const first = await wave()
  const after = await upstreams.counts()
  for (const [name, { most }] of Object.entries(after))
    t.ok(most <= concurrency, `${name} saw ${most} connections at once, of ${concurrency}`)
  t.equal(after['catfact-ninja']?.most, concurrency, 'all permits were used')
  const asked = (after['catfact-ninja']?.asked ?? 0) - (before['catfact-ninja']?.asked ?? 0)
  t.equal(asked, first * 50, 'runs that were refused have asked nothing of the upstream that was full')
  for (const each of Object.values(after)) t.equal(each.asked, each.answered, 'when all is answered, nothing is asked')

  const second = await wave()
  t.ok(second >= first / 3, `the next wave gets in as the first did (${first}, then ${second}): nothing is held`)
  t.match(await get('/v1/cat-facts?count=50'), { status: 200, body: { complete: true } })
})
