import type { Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import { test } from 'tap'
import { createRedispatcher, type TrackWorker } from '../../../src/server/cluster/redispatch.ts'

/** A worker as Node.js makes it, without a process. */
function startWorker(handOver: TrackWorker) {
  const sent: (readonly unknown[])[] = []
  const child = Object.assign(new EventEmitter(), {
    connected: true,
    send: (...message: readonly unknown[]) => sent.push(message) > 0,
  })
  const worker = Object.assign(new EventEmitter(), { process: child, isConnected: () => child.connected })
  handOver(worker as unknown as Worker)
  worker.emit('listening')
  return {
    sent,
    child,
    async end() {
      child.connected = false
      child.emit('exit')
      await new Promise(setImmediate)
      await new Promise(setImmediate)
    },
  }
}

/** A connection that counts how often it is closed. */
function connection() {
  const handle = {
    closed: 0,
    close: () => {
      handle.closed++
    },
  }
  return handle
}

test('a connection on its way to a worker that ends is sent to another, and one that was answered is not', async t => {
  const handOver = createRedispatcher()
  const [first, second] = [startWorker(handOver), startWorker(handOver)]
  const [answered, open] = [connection(), connection()]
  first.child.send({ seq: 1 }, answered)
  first.child.send({ seq: 2 }, open)
  first.child.emit('internalMessage', { ack: 1 })
  await first.end()
  t.match(second.sent, [[{ seq: 2 }, open]])
  t.equal(second.sent.length, 1)
  await second.end()
  t.equal(open.closed, 1, 'no worker is running')
  t.equal(answered.closed, 0)
})

test('messages without numbers, answers of another form and other handles pass as they are', async t => {
  const handOver = createRedispatcher()
  const [first, second] = [startWorker(handOver), startWorker(handOver)]
  const messages = [
    [null],
    [undefined, connection()],
    ['text', connection()],
    [{}, connection()],
    [{ seq: '1' }, connection()],
    [{ seq: 1 }],
    [{ seq: 2 }, 1],
    [{ seq: 3 }, null],
    [{ seq: 4 }, {}],
  ] as const
  for (const [message, handle] of messages) first.child.send(message, handle)
  for (const message of [undefined, null, 1, {}, { ack: null }]) first.child.emit('internalMessage', message)
  t.equal(first.sent.length, messages.length)
  await first.end()
  t.same(second.sent, [])
})

test('without an answer the record is dropped, and no connection is sent twice or closed', async t => {
  const handOver = createRedispatcher()
  const [first, second] = [startWorker(handOver), startWorker(handOver)]
  const handles = Array.from({ length: 3000 }, connection)
  for (const [seq, handle] of handles.entries()) first.child.send({ seq }, handle)
  t.equal(first.sent.length, handles.length)
  await first.end()
  t.same(second.sent, [])
  t.ok(handles.every(({ closed }) => closed === 0))
})
