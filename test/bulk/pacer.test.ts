import { test } from 'tap'
import { Pacer } from '../../src/bulk/pacer.ts'

/** A process whose items take `workMs` of the event loop, and whose time is set by hand. */
class Load {
  time = 0
  busy = 0
  isShedding = false
  live = 0
  readonly pacer = new Pacer({
    now: () => this.time,
    busyMs: () => this.busy,
    isPressed: () => this.isShedding,
    liveRuns: () => this.live,
  })

  /** Starts items for some ms, and returns how many. `hasLive` adds a run of a caller every 10 ms. */
  run(ms: number, workMs: number, hasLive = false): number {
    const end = this.time + ms
    let items = 0
    while (this.time < end) {
      const wait = this.pacer.next()
      if (wait === 0) {
        items++
        this.busy += workMs
        this.time += workMs
      } else this.time += Math.min(wait, 1)
      if (hasLive && Math.floor(this.time) % 10 === 0) this.live++
    }
    return items
  }
}

test('a run alone uses most of the event loop', async t => {
  const load = new Load()
  load.run(5000, 1)
  const busy = load.busy
  load.run(5000, 1)
  t.ok(load.busy - busy > 3500, `${load.busy - busy} ms of 5000`)
})

test('a run beside live traffic leaves the event loop half of its time', async t => {
  const load = new Load()
  load.run(5000, 1, true)
  const busy = load.busy
  load.run(5000, 1, true)
  const share = (load.busy - busy) / 5000
  t.ok(share > 0.3 && share < 0.65, `${share}`)
})

test('items beside live traffic start one after the other, also after something else has limited them', async t => {
  const load = new Load()
  // The 16 items of a round end together, so that the next round could start at once.
  for (let round = 0; round < 200; round++) {
    for (let items = 0; items < 16; items += load.run(1, 0.1, true));
    load.time += 30
    load.live++
  }
  t.ok(load.pacer.rate < 2000, `${load.pacer.rate} items per second`)
  let atOnce = 0
  while (load.pacer.next() === 0) atOnce++
  t.ok(atOnce <= 6, `${atOnce} items at once`)
})

test('no item starts while the service is pressed, and items start again afterwards', async t => {
  const load = new Load()
  load.run(2000, 1)
  load.isShedding = true
  t.equal(load.run(3000, 1), 0)
  load.isShedding = false
  t.ok(load.run(100, 1) > 0)
})

test('a busy process still starts an item now and then', async t => {
  const load = new Load()
  load.run(2000, 1)
  let items = 0
  for (let window = 0; window < 100; window++) {
    load.time += 100
    load.busy += 100
    if (load.pacer.next() === 0) items++
  }
  t.equal(load.pacer.rate, 10)
  t.ok(items >= 90, `${items}`)
})

test('an admission ends with the signal', async t => {
  const load = new Load()
  const stop = new AbortController()
  await load.pacer.admit(stop.signal)
  load.isShedding = true
  const admission = load.pacer.admit(stop.signal)
  stop.abort(new Error('stopped'))
  await t.rejects(admission, { message: 'stopped' })
  await t.rejects(load.pacer.admit(stop.signal), { message: 'stopped' })
})
