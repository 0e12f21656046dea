import { test } from 'tap'
import { MemoryMeter } from '../../src/memory/meter.ts'

/** A meter over a heap of 1000 bytes of which a test says how much is in use, and of that how much is alive. */
function measured (heapPercent = 80) {
  const state = { used: 0, alive: 0, now: 0, took: 10, collections: 0, groups: [] as { limitBytes: number, usedBytes: () => number }[] }
  let onFull = () => {}
  const collected = () => {
    state.used = state.alive
    onFull()
  }
  const meter = new MemoryMeter({
    heapLimit: 1000,
    heapUse: () => state.used,
    groups: state.groups,
    now: () => state.now,
    collector: {
      watch (callback) {
        onFull = callback
        return () => { onFull = () => {} }
      },
      run () {
        state.collections++
        state.now += state.took
        collected()
      },
    },
  }, heapPercent)
  return { meter, state, collected, end: meter.start() }
}

test('what is dead does not count up to half way to the limit, and twice beyond it', async t => {
  const { meter, state, collected } = measured()
  state.used = state.alive = 300
  collected()
  for (const [used, percent] of [[300, 30], [500, 30], [650, 30], [700, 40], [900, 80], [1000, 100]] as const) {
    state.used = used
    t.same(meter.heap(), { alive: percent, used: used / 10 }, `${used} of 1000`)
  }
  collected()
  t.equal(meter.heap().alive, 30, 'it is gone with the next full collection')
  state.used = state.alive = 850
  collected()
  state.used = state.alive = 200
  t.equal(meter.heap().alive, 85, 'what was alive counts until the next full collection')
})

test('what is in use when it starts counts as alive, and after its end no collection is noticed', async t => {
  const { meter, state, end } = measured()
  state.used = 400
  meter.start()
  t.equal(meter.heap().alive, 40)
  end()
  t.equal(meter.heap().alive, 40)
})

test('a collection is run at most once a second, and never for more than its share of the time', async t => {
  const { meter, state } = measured()
  t.ok(meter.collect(0.05))
  state.now = 1000
  t.notOk(meter.collect(0.05), 'within a second of the end of the last')
  state.now = 1010
  t.ok(meter.collect(0.05))
  state.now = 2030
  t.notOk(meter.collect(0.005), '10 ms are half a percent of 2 s')
  t.ok(meter.collect(0.05))
  state.took = 500
  state.now = 4000
  t.ok(meter.collect(0.05))
  state.now += 9999
  t.notOk(meter.collect(0.05), '500 ms are 5 % of 10 s')
  state.now += 1
  t.ok(meter.collect(0.05))
})

test('a collection of V8 counts as the last one', async t => {
  const { meter, state, collected } = measured()
  state.now = 5000
  collected()
  state.now = 5999
  t.notOk(meter.collect(0.05))
  state.now = 6000
  t.ok(meter.collect(0.05))
})

test('bodies have the heap up to half way between the limit for requests and the end', async t => {
  const { meter, state } = measured()
  state.used = state.alive = 500
  meter.heap()
  t.notOk(meter.claim(101), 'nothing is dead')
  t.ok(meter.claim(100), '500 and four times 100 are 900')
  t.ok(meter.claim(100), 'what it may take is in the heap by then, or is dead')
})

test('a body for which dead objects have no room left is read after a collection', async t => {
  const { meter, state } = measured()
  state.used = 890
  state.alive = 300
  meter.heap()
  t.ok(meter.claim(100))
  t.equal(state.collections, 1)
  t.equal(state.used, 300)
})

test('between two collections a body is read as long as what may be alive leaves room for it', async t => {
  const { meter, state } = measured()
  state.used = 890
  state.alive = 300
  meter.heap()
  t.ok(meter.claim(50))
  state.used = 890
  meter.heap()
  t.ok(meter.claim(50), '300 alive, 200 of the body before, 200 of this one')
  t.notOk(meter.claim(51), 'another 204 might be too much')
  t.ok(meter.claim(50), 'what was refused took no room')
  t.equal(state.collections, 1)
})

test('the memory of the process is as full as the fullest group, and one that cannot be read does not count', async t => {
  const { meter, state } = measured()
  t.equal(meter.memoryPercent(), 0)
  state.groups.push({ limitBytes: 1000, usedBytes: () => 250 }, { limitBytes: 1000, usedBytes: () => NaN }, { limitBytes: 400, usedBytes: () => 200 })
  t.equal(meter.memoryPercent(), 50)
})
