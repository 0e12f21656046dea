import fc from 'fast-check'
import { test } from 'tap'
import type { LinkedQueue } from '../../../../src/core/linked-queue.ts'
import { FairQueue, type QueuedCall, type QueuedRun } from '../../../../src/upstream/policies/bulkhead/fair-queue.ts'

class Queued implements QueuedCall<Queued> {
  queue: LinkedQueue<Queued> | undefined
  previousInQueue: Queued | undefined
  nextInQueue: Queued | undefined
  readonly name: string
  readonly admission: QueuedRun

  constructor(name: string, admission: QueuedRun) {
    this.name = name
    this.admission = admission
  }
}

const newRun = (): QueuedRun => ({ hasEntered: false })

/** Removes the calls in the order in which they would get permits. */
function order(queue: FairQueue<Queued>): string {
  let names = ''
  for (let call = queue.next(); call !== undefined; call = queue.next()) {
    names += call.name
    queue.remove(call)
  }
  return names
}

test('an empty queue has no call', async t => {
  const queue = new FairQueue<Queued>()
  t.equal(queue.size, 0)
  t.equal(queue.first, undefined)
  t.equal(queue.next(), undefined)
})

test('newcomers follow one another by run, in the order of their first calls', async t => {
  const queue = new FairQueue<Queued>()
  const [a, b] = [newRun(), newRun()]
  for (const call of [new Queued('1', a), new Queued('x', b), new Queued('2', a), new Queued('y', b)]) queue.push(call)
  t.equal(queue.size, 4)
  t.equal(order(queue), '12xy')
  t.equal(queue.size, 0)
})

test('calls of a run that has entered go ahead of newcomers', async t => {
  const queue = new FairQueue<Queued>()
  queue.push(new Queued('x', newRun()))
  const inside = { hasEntered: true }
  queue.push(new Queued('1', inside))
  queue.push(new Queued('2', inside))
  t.equal(queue.first?.name, '1')
  t.equal(order(queue), '12x')
})

test('looking at the first call leaves its run a newcomer, and its turn makes the run enter', async t => {
  const queue = new FairQueue<Queued>()
  const run = newRun()
  const call = new Queued('1', run)
  queue.push(call)
  t.equal(queue.first, call)
  t.notOk(run.hasEntered)
  t.equal(queue.next(), call)
  t.ok(run.hasEntered)
  t.equal(queue.size, 1, 'the queue keeps it until it is removed')
  t.equal(queue.remove(call), false, 'its run has entered')
  t.equal(queue.size, 0)
})

test('removing says when a newcomer has no call left, and the run then waits behind the others again', async t => {
  const queue = new FairQueue<Queued>()
  const run = newRun()
  const [one, two] = [new Queued('1', run), new Queued('2', run)]
  queue.push(one)
  queue.push(two)
  queue.push(new Queued('x', newRun()))
  t.equal(queue.remove(one), false)
  t.equal(queue.remove(two), true)
  queue.push(two)
  t.equal(order(queue), 'x2')
})

test('under any history the order is that of plain lists', t => {
  const act = fc.oneof(
    fc.record({ type: fc.constant('push' as const), run: fc.nat(3) }),
    fc.record({ type: fc.constant('remove' as const), which: fc.nat(30) }),
    fc.record({ type: fc.constant('take' as const) }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80, size: 'max' }), acts => {
      const queue = new FairQueue<Queued>()
      const runs = [newRun(), newRun(), newRun(), newRun()]
      const entered = new Set<QueuedRun>()
      let ahead: Queued[] = []
      let groups: Queued[][] = []
      let pushed = 0
      for (const each of acts) {
        const all = [...ahead, ...groups.flat()]
        if (each.type === 'push') {
          const run = runs[each.run] as QueuedRun
          const call = new Queued(String(pushed++), run)
          const group = groups.find(([first]) => first?.admission === run)
          if (entered.has(run)) ahead.push(call)
          else if (group === undefined) groups.push([call])
          else group.push(call)
          queue.push(call)
        } else if (all.length > 0) {
          if (each.type === 'take' && ahead.length === 0) ahead = groups.shift() as Queued[]
          const call = each.type === 'take' ? (ahead[0] as Queued) : (all[each.which % all.length] as Queued)
          if (each.type === 'take') {
            entered.add(call.admission)
            if (queue.next() !== call) throw new Error(`${queue.next()?.name} is next, and not ${call.name}`)
          }
          const isLast = groups.some(group => group.length === 1 && group[0] === call)
          ahead = ahead.filter(other => other !== call)
          groups = groups.map(group => group.filter(other => other !== call)).filter(group => group.length > 0)
          if (queue.remove(call) !== isLast) throw new Error(`removing ${call.name} said ${!isLast}`)
        }
        const now = [...ahead, ...groups.flat()]
        if (queue.size !== now.length) throw new Error(`the size is ${queue.size}, and ${now.length} wait`)
        if (queue.first !== now[0]) throw new Error(`${queue.first?.name} is first, and not ${now[0]?.name}`)
        if (runs.some(run => run.hasEntered !== entered.has(run))) throw new Error('another run has entered')
      }
    }),
  )
  t.end()
})
