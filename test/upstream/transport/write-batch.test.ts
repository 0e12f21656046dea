import type { Socket } from 'node:net'
import { test } from 'tap'
import { WriteBatch } from '../../../src/upstream/transport/write-batch.ts'
import { socketPair } from '../../helpers/socket-pair.ts'
import { until } from '../../helpers/until.ts'

/** Collects what the other end receives. */
function received(socket: Socket): () => string {
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('latin1')
}

test('the texts of a batch are written as one when it ends, with TLS and without', async t => {
  for (const isSecure of [false, true]) {
    const { ours, theirs } = await socketPair(t, isSecure)
    const batch = new WriteBatch(ours)
    const text = received(theirs)
    const end = batch.start()
    ours.write('a\xff\r\n', 'latin1')
    ours.write('b', 'latin1')
    t.equal(ours.bytesWritten, 0)
    end()
    t.equal(ours.bytesWritten, 5)
    await until(() => text() === 'a\xff\r\nb')
    end()
    batch.start()()
    t.equal(ours.bytesWritten, 5, 'an empty batch writes nothing')
  }
})

test('bytes that are not a text of the batch are written behind its texts, and end it', async t => {
  const { ours, theirs } = await socketPair(t)
  const batch = new WriteBatch(ours)
  const text = received(theirs)
  for (const other of [Buffer.from('c'), 'c']) {
    batch.start()
    ours.write('a', 'latin1')
    ours.write('b', 'latin1')
    ours.write(other)
    ours.write('d', 'latin1')
  }
  await until(() => text().length === 8)
  t.equal(text(), 'abcdabcd')
})
