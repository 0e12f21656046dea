import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { Problem, UpstreamError } from '../../src/errors.ts'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { heldRuntime, type HeldCall, type HeldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { turn } from '../helpers/turn.ts'

type Manner = 'answered' | 'failed' | 'absent'

const plan = fc.record({
  /** The numbers of pages that `next` returns, one after the other. */
  batches: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }),
  asList: fc.boolean(),
  manners: fc.array(fc.constantFrom<Manner>('answered', 'answered', 'answered', 'answered', 'failed', 'absent'), {
    minLength: 21,
    maxLength: 21,
  }),
  /** Select the call in flight that ends next. */
  picks: fc.array(fc.nat(), { minLength: 21, maxLength: 21 }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  maxPages: fc.integer({ min: 1, max: 16 }),
  overflow: fc.constantFrom('error', 'truncate'),
  onLoss: fc.constantFrom('fail', 'keep'),
  isAsync: fc.boolean(),
})
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never

function describe({ batches, asList, concurrency, maxPages, overflow, onLoss, isAsync }: Plan) {
  const starts = batches.map((_, at) => batches.slice(0, at).reduce((sum, size) => sum + size, 1))
  return aggregate('book', { url: '/book', deadline: 60_000 })
    .pages('pages', () => oracle.ask({ id: 0 }), {
      next: (_, index) => {
        const at = starts.indexOf(index + 1)
        const start = index + 1
        const calls = times(batches[at] ?? 0, offset => oracle.ask({ id: start + offset }))
        const returned = calls.length === 1 && !asList ? calls[0] : calls
        return isAsync ? Promise.resolve(returned) : returned
      },
      concurrency,
      maxPages,
      overflow,
      onLoss,
    })
    .reply(z.unknown(), ({ pages }) => pages)
}

/** The ends that a run of a plan may have: the code of its problem, or the number and the state of its pages. */
function endsOf({ batches, manners, maxPages, overflow, onLoss }: Plan): string[] {
  let start = 0
  for (const size of [1, ...batches]) {
    if (start + size > maxPages && overflow === 'error') return ['UPSTREAM_TOO_MANY_ITEMS']
    const batch = manners.slice(start, Math.min(start + size, maxPages))
    const bad = batch.findIndex(manner => manner !== 'answered')
    if (bad !== -1) {
      const kept = `${start + bad} ${batch[bad] === 'failed' ? 'partial' : 'ok'}`
      if (onLoss === 'keep' || !batch.includes('failed')) return [kept]
      // A failure behind the end of the list counts only if it arrives first.
      return batch[bad] === 'failed' ? ['UPSTREAM_STATUS'] : ['UPSTREAM_STATUS', kept]
    }
    start += size
    if (start > maxPages || (start === maxPages && overflow === 'truncate' && hasMore(batches, start)))
      return [`${maxPages} partial`]
  }
  return [`${start} ok`]
}

function hasMore(batches: readonly number[], start: number): boolean {
  return batches.reduce((sum, size) => sum + size, 1) > start
}

/** Ends calls in the order of the picks, until the run has settled. */
async function settleCalls(runtime: HeldRuntime, { manners, picks, concurrency }: Plan, isOver: () => boolean) {
  const ended = new Set<HeldCall>()
  for (const pick of picks) {
    await turn()
    const inFlight = runtime.calls.filter(call => !ended.has(call) && call.cut === undefined)
    const call = inFlight[pick % inFlight.length]
    if (isOver() || call === undefined) return
    if (inFlight.length > concurrency) throw new Error(`${inFlight.length} calls are in flight`)
    ended.add(call)
    const manner = manners[Number(call.path.slice(1))]
    if (manner === 'failed') call.fail(new UpstreamError('UPSTREAM_STATUS', 'oracle'))
    else call.answer(manner === 'absent' ? null : call.path)
  }
}

test('pages are a list in order up to the first lost one, in any order of arrival and within their limits', async t => {
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(plan, async each => {
      const runtime = heldRuntime()
      let isOver = false
      const run = fanOut(describe(each), {}, { runtime }).then(
        ({ data, sources: { pages } }) => {
          const count = (data as unknown[]).length
          t.same(
            data,
            times(count, index => `/${index}`),
          )
          return `${count} ${pages.state}`
        },
        (error: unknown) => {
          if (error instanceof Problem) return error.code
          throw error
        },
      )
      void run.finally(() => (isOver = true))
      await settleCalls(runtime, each, () => isOver)
      const end = await run
      t.ok(endsOf(each).includes(end), `${end} is one of ${endsOf(each).join(', ')}`)
      const paths = runtime.calls.map(({ path }) => path)
      t.same(
        paths,
        times(paths.length, index => `/${index}`),
        'each page is called once, in order',
      )
      t.ok(paths.length <= each.maxPages)
      const kind = end.replace(/^\d+ /, '')
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }),
    { numRuns: 400 },
  )
  for (const kind of ['ok', 'partial', 'UPSTREAM_STATUS', 'UPSTREAM_TOO_MANY_ITEMS'])
    t.ok((seen.get(kind) ?? 0) > 10, `${kind}: ${seen.get(kind)}`)
})
