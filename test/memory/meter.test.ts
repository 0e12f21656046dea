import { test } from 'tap'
import { MemoryMeter } from '../../src/memory/meter.ts'

/** A meter over a heap of 1000 bytes of which a test says how much is in use, and of that how much is alive. */
function measured({ heapPercent = 70, memoryPercent = 85, used = 0 } = {}) {
  const state = {
    used,
    alive: used,
    now: 0,
    cpu: 0,
    took: 10,
    collections: 0,
    groups: [] as { limitBytes: number; usedBytes: () => number }[],
  }
  let onFull = () => {}
  const meter = new MemoryMeter(
    {
      heapLimit: 1000,
      heapUse: () => state.used,
      groups: state.groups,
      now: () => state.now,
      cpu: () => state.cpu,
      collector: {
        watch(callback) {
          onFull = callback
          return () => {
            onFull = () => {}
          }
        },
        run() {
          state.collections++
          // Others use the machine too.
          state.now += 3 * state.took
          state.cpu += state.took
          state.used = state.alive
        },
      },
    },
    { heapPercent, memoryPercent },
  )
  return { meter, state, collectedByV8: () => onFull() }
}

test('the heap in use at the start counts as alive, and later the heap that a collection leaves', async t => {
  const { meter, state } = measured({ used: 300 })
  t.same(meter.heap(), { alive: 30, used: 30 })
  state.used = 900
  t.same(meter.heap(), { alive: 30, used: 90 }, 'what came since may be dead')
  state.alive = 850
  t.ok(meter.collect(0.05))
  t.same(meter.heap(), { alive: 85, used: 85 })
  state.used = 200
  t.same(meter.heap(), { alive: 20, used: 20 }, 'V8 has collected: no more than is in use can be alive')
  state.used = 600
  t.same(meter.heap(), { alive: 20, used: 60 })
})

test('collections take no more than their share of the time', async t => {
  const { meter, state } = measured()
  t.ok(meter.collect(0.05))
  state.now = 229
  t.notOk(meter.collect(0.05), '10 ms of CPU time are 5 % of 200 ms, which begin at 30')
  state.now = 230
  t.notOk(meter.collect(0.005))
  t.ok(meter.collect(0.05))
  state.took = 500
  state.now = 2259
  t.notOk(meter.collect(0.005), '10 ms are half a percent of 2 s')
  state.now = 2260
  t.ok(meter.collect(0.005))
  state.now += 9999
  t.notOk(meter.collect(0.05), '500 ms are 5 % of 10 s')
  state.now += 1
  t.ok(meter.collect(0.05))
  t.equal(state.collections, 4)
})

test('after three full collections of V8 the least that was in use counts as alive', async t => {
  const { meter, state, collectedByV8 } = measured({ used: 200 })
  const end = meter.watch()
  for (const [used, alive] of [
    [700, 20],
    [900, 20],
    [800, 70],
    [750, 75],
    [760, 75],
    [300, 30],
  ] as const) {
    state.used = used
    collectedByV8()
    t.equal(meter.heap().alive, alive)
  }
  state.alive = 250
  t.ok(meter.collect(0.05))
  state.used = 800
  collectedByV8()
  t.equal(meter.heap().alive, 25, 'what a collection of ours leaves is exact')
  state.now += 199
  t.notOk(meter.collect(0.05), 'a collection of V8 is the last one too')
  end()
  collectedByV8()
  collectedByV8()
  t.equal(meter.heap().alive, 25)
})

test('bodies have the heap up to a third of the way from the limit for requests to the end', async t => {
  const { meter, state } = measured()
  state.used = state.alive = 400
  meter.heap()
  t.notOk(meter.claim(101), 'nothing is dead')
  t.ok(meter.claim(100), '400 and four times 100 are 800')
  t.ok(meter.claim(100), 'what it may take is in the heap by then, or is dead')
})

test('a body for which dead objects have no room left is read after a collection', async t => {
  const { meter, state } = measured()
  state.used = 790
  state.alive = 300
  meter.heap()
  t.ok(meter.claim(100))
  t.equal(state.collections, 1)
  t.equal(state.used, 300)
})

test('between two collections a body is read as long as what may be alive leaves room for it', async t => {
  const { meter, state } = measured()
  state.used = 790
  state.alive = 300
  meter.heap()
  t.ok(meter.claim(50))
  state.used = 790
  meter.heap()
  t.ok(meter.claim(50), '300 alive, 200 of the body before, 200 of this one')
  t.notOk(meter.claim(26), 'another 104 might be too much')
  t.ok(meter.claim(25), 'what was refused took no room')
  t.equal(state.collections, 1)
})

test('the memory of the process is as full as the fullest group, and one that cannot be read does not count', async t => {
  const { meter, state } = measured()
  t.equal(meter.memoryPercent(), 0)
  state.groups.push(
    { limitBytes: 1000, usedBytes: () => 250 },
    { limitBytes: 1000, usedBytes: () => NaN },
    { limitBytes: 400, usedBytes: () => 200 },
  )
  t.equal(meter.memoryPercent(), 50)
})

test('bodies have the memory of the process up to a third of the way from the limit for requests to the end', async t => {
  const { meter, state } = measured()
  let used = 500
  let reads = 0
  state.groups.push({ limitBytes: 1000, usedBytes: () => (reads++, used) }, { limitBytes: 5000, usedBytes: () => NaN })
  t.ok(meter.hold(400), '900 of 1000')
  t.equal(reads, 1)
  t.ok(meter.hold(0), 'nothing is read as long as some is left')
  t.equal(reads, 1)
  used = 700
  t.ok(meter.hold(200), 'what has gone is free')
  used = 900
  t.notOk(meter.hold(1))
  t.equal(meter.memoryPercent(), 90)
})

test('a limit of 0 refuses no body', async t => {
  const { meter, state } = measured({ heapPercent: 0, memoryPercent: 0 })
  state.used = state.alive = 1000
  state.groups.push({ limitBytes: 1000, usedBytes: () => 1000 })
  t.ok(meter.claim(1000))
  t.ok(meter.hold(1000))
})
