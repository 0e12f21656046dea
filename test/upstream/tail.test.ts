import { test } from 'tap'
import { measureTail, type TailRow } from '../../bench/scenarios/tail/measure-tail.ts'
import { isExact } from '../helpers/timing.ts'

/** A machine that does nothing else is held to theory; elsewhere a fast leaf may look slow. */
const options = { seed: 1, perSecond: 15, seconds: 3, warmUpSeconds: 2 }
const plain = { concurrency: 200, maxQueue: 2000, attemptTimeout: 3000, retry: false, breaker: false } as const
const said = ({ slow, computed, extra }: TailRow) =>
  `${(slow * 100).toFixed(1)} % of the roots were slow, ${(computed * 100).toFixed(1)} % by ` +
  `their draws, for ${(extra * 100).toFixed(2)} % extra calls`

test('of a hundred leaves one in a hundred is slow: most roots are, and with hedging nearly none', async t => {
  const without = await measureTail({ name: 'without', fanout: 100, slowRatio: 0.01, options: plain }, options)
  t.comment(`without: ${said(without)}`)
  t.equal(without.failed, 0)
  t.equal(without.extra, 0)
  t.ok(without.slow >= without.computed, 'every slow leaf makes a slow root')
  t.ok(without.slow <= without.computed + (isExact ? 0.005 : 0.3))

  const hedged = await measureTail(
    { name: 'hedged', fanout: 100, slowRatio: 0.01, options: { ...plain, hedge: true } },
    options,
  )
  t.comment(`hedged: ${said(hedged)}`)
  t.equal(hedged.failed, 0)
  t.ok(hedged.extra <= 0.035, 'no more second attempts than its share, which is kept over ten seconds')
  t.ok(hedged.slow <= (isExact ? hedged.computed + 0.02 : without.slow / 2), 'they save nearly all roots')
})
