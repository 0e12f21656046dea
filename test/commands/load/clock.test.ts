import { test } from 'tap'
import { startPreciseClock } from '../../../src/commands/load/clock.ts'

test('the precise clock wakes each callback at its moment or later, in whichever order the callbacks were set', async t => {
  const clock = await startPreciseClock()
  t.teardown(() => clock.close())
  const startedAt = clock.now()
  const woken: { readonly moment: number; readonly at: number }[] = []
  await new Promise<void>(resolve => {
    for (const after of [30, 5, 12.5, 0, -3]) {
      clock.wakeAt(startedAt + after, () => {
        woken.push({ moment: after, at: clock.now() - startedAt })
        if (woken.length === 5) resolve()
      })
    }
  })
  t.ok(
    woken.every(({ moment, at }) => at >= moment),
    JSON.stringify(woken),
  )
  t.equal(woken.at(-1)?.moment, 30)
})

test('a callback that was called off is not woken, and a callback that is set within a wake is woken', async t => {
  const clock = await startPreciseClock()
  t.teardown(() => clock.close())
  const woken: string[] = []
  await new Promise<void>(resolve => {
    const callOff = clock.wakeAt(clock.now() + 5, () => woken.push('called off'))
    clock.wakeAt(clock.now() + 1, () => {
      woken.push('first')
      callOff()
      clock.wakeAt(clock.now() + 10, () => {
        woken.push('from within')
        resolve()
      })
    })
  })
  t.same(woken, ['first', 'from within'])
})

test('an earlier moment is not held up by a later one', async t => {
  const clock = await startPreciseClock()
  t.teardown(() => clock.close())
  const far = clock.wakeAt(clock.now() + 3_600_000, () => t.fail('an hour is not over'))
  const moment = clock.now() + 2
  await new Promise<void>(resolve => {
    clock.wakeAt(moment, resolve)
  })
  far()
  const lateMs = clock.now() - moment
  t.ok(lateMs >= 0 && lateMs < 10_000, `woken ${lateMs.toFixed(2)} ms after its moment`)
})
