import fc from 'fast-check'
import { test } from 'tap'
import type { CallFlow } from '../../../../src/upstream/call/flow.ts'
import { VirtualBulkhead } from '../../../helpers/virtual-bulkhead.ts'

const flowOf = (weight: number): CallFlow => ({ weight })

/** A deadline so far away that no run is refused for the time that it would wait. */
const patient = 1e9

/** Runs of some flows: when they start, in ms, and their numbers of calls. */
const arrivals = (flows: number) =>
  fc.array(fc.record({ at: fc.nat(200), flow: fc.nat(flows - 1), calls: fc.integer({ min: 1, max: 30 }) }), {
    minLength: 1,
    maxLength: 12,
  })

test('the runs of a flow each wait at most hold * (1 + calls * live runs / concurrency)', t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 60 }),
      arrivals(1),
      (concurrency, hold, all) => {
        const virtual = new VirtualBulkhead({ concurrency, hold: () => hold })
        const flow = flowOf(2)
        for (const { at, calls } of all) virtual.at(at, () => virtual.start(flow, calls, patient))
        virtual.until()
        for (const run of virtual.runs) {
          if (run.failure !== undefined) continue
          const waited = Math.max(...run.granted) - run.startedAt
          const bound = hold * (1 + (run.calls * run.mostLive) / concurrency)
          if (waited > bound + 1e-6)
            throw new Error(`${run.calls} calls beside ${run.mostLive - 1} runs waited ${waited} ms, above ${bound}`)
        }
      },
    ),
    { numRuns: 300 },
  )
  t.end()
})

test('the runs of several flows with equal numbers of equal runs wait no longer than those of one flow', t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 30 }),
      (concurrency, flows, runsPerFlow, calls) => {
        const hold = 20
        const virtual = new VirtualBulkhead({ concurrency, hold: () => hold })
        const all = Array.from({ length: flows }, () => flowOf(2))
        for (let nth = 0; nth < runsPerFlow; nth++) for (const flow of all) virtual.start(flow, calls, patient)
        virtual.until()
        const bound = hold * (1 + (calls * flows * runsPerFlow) / concurrency)
        for (const { granted } of virtual.runs)
          if (Math.max(...granted) > bound + 1e-6) throw new Error(`waited ${Math.max(...granted)} ms, above ${bound}`)
      },
    ),
    { numRuns: 300 },
  )
  t.end()
})

for (const kind of ['the same aggregate', 'another aggregate'])
  test(`one call behind 100 calls of ${kind} waits at most two holding times`, t => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1200 }), at => {
        const virtual = new VirtualBulkhead({ concurrency: 4, hold: () => 50 })
        const many = flowOf(2)
        virtual.start(many, 100, 2000)
        virtual.until(at)
        const one = virtual.start(kind === 'the same aggregate' ? many : flowOf(2), 1, 2000)
        virtual.until()
        const [granted = Infinity] = one.granted
        if (granted - at > 100) throw new Error(`it waited ${granted - at} ms`)
      }),
    )
    t.end()
  })

test('permits in use follow the weights within one permit while all flows have demand', t => {
  const weights = { high: 4, normal: 2, low: 1 }
  let checked = 0
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 60 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5, maxLength: 30 }),
      (concurrency, holds) => {
        let nth = 0
        const virtual = new VirtualBulkhead({ concurrency, hold: () => holds[nth++ % holds.length] as number })
        const flows = Object.values(weights).map(flowOf)
        // The first flow has all permits when the other flows arrive.
        for (const flow of flows) for (let run = 0; run < 5; run++) virtual.start(flow, 100, patient)
        virtual.check = () => {
          // A flow that begins to wait has twice its weight for one holding time. By now the permits of that time, and
          // those of the first flow, have been released.
          if (virtual.now <= 100 || virtual.now > 300 || virtual.gauge.queued < 1000) return
          checked++
          for (const flow of flows) {
            const share = (concurrency * flow.weight) / 7
            const active = virtual.active(flow)
            if (Math.abs(active - share) > 1)
              throw new Error(`weight ${flow.weight} has ${active} permits of ${concurrency}`)
          }
        }
        virtual.until()
      },
    ),
    { numRuns: 100 },
  )
  t.ok(checked > 1000, `${checked} moments`)
  t.end()
})

test('a flow whose calls hang does not take the permits of the other flows', t => {
  const hanging = flowOf(2)
  const virtual = new VirtualBulkhead({ concurrency: 8, hold: flow => (flow === hanging ? 1e6 : 10) })
  const healthy = flowOf(2)
  virtual.start(healthy, 1000, patient)
  virtual.start(hanging, 100, patient)
  virtual.until(500)
  t.match([virtual.active(hanging), virtual.active(healthy)], [4, 4])
  t.end()
})

test('under any order of arrivals, ends and aborts no permit is free while a call waits, and no call is lost or sent twice', t => {
  const act = fc.record({
    at: fc.nat(300),
    flow: fc.nat(2),
    calls: fc.integer({ min: 1, max: 20 }),
    deadline: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant(patient)),
    cancelAfter: fc.option(fc.nat(100), { nil: undefined }),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.oneof(fc.nat(30), fc.constant(1000)),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
      fc.array(act, { maxLength: 30, size: 'max' }),
      (concurrency, maxQueue, holds, acts) => {
        let nth = 0
        const virtual = new VirtualBulkhead({
          concurrency,
          maxQueue,
          hold: () => holds[nth++ % holds.length] as number,
        })
        const flows = [4, 2, 1].map(flowOf)
        virtual.check = () => {
          const { active, queued } = virtual.gauge
          if (active < concurrency && queued > 0)
            throw new Error(`${queued} calls wait for ${concurrency - active} free permits`)
          if (active > concurrency) throw new Error(`${active} calls have ${concurrency} permits`)
          const known = flows.reduce((sum, flow) => sum + virtual.active(flow), 0)
          if (known !== active) throw new Error(`${known} calls are in flight, and the gauge says ${active}`)
        }
        for (const { at, flow, calls, deadline, cancelAfter } of acts)
          virtual.at(at, () => {
            const run = virtual.start(flows[flow] as CallFlow, calls, deadline)
            if (cancelAfter !== undefined) virtual.at(at + cancelAfter, run.cancel)
          })
        virtual.until()
        if (virtual.gauge.active + virtual.gauge.queued > 0) throw new Error('a call stays')
        for (const { calls, ended, granted, failure } of virtual.runs) {
          if (ended !== calls) throw new Error(`${ended} of ${calls} calls ended`)
          if (granted.length > calls) throw new Error(`${granted.length} of ${calls} calls were sent`)
          if (failure === undefined && granted.length !== calls)
            throw new Error('a call that was not sent has an answer')
        }
      },
    ),
    { numRuns: 300 },
  )
  t.end()
})
