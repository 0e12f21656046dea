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

/** Returns a function that returns the number of writes to the handle of a socket since its last call. */
function countWrites(socket: Socket): () => number {
  let count = 0
  const write = socket._write.bind(socket)
  const writev = socket._writev?.bind(socket)
  socket._write = (...args) => {
    count++
    write(...args)
  }
  socket._writev = (...args) => {
    count++
    writev?.(...args)
  }
  return () => {
    const result = count
    count = 0
    return result
  }
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

test('bytes that are not a text keep their place in the batch, and the batch is written when it ends', async t => {
  for (const isSecure of [false, true]) {
    const { ours, theirs } = await socketPair(t, isSecure)
    const batch = new WriteBatch(ours)
    const text = received(theirs)
    const writes = countWrites(ours)
    for (const body of [Buffer.from('c'), 'c']) {
      const end = batch.start()
      ours.write('a', 'latin1')
      ours.write('b', 'latin1')
      ours.write(body)
      ours.write('d', 'latin1')
      t.equal(writes(), 0)
      end()
      t.equal(writes(), 1)
      await until(() => ours.writableLength === 0)
    }
    await until(() => text().length === 8)
    t.equal(text(), 'abcdabcd')
  }
})

test('a batch that starts before the last one has ended writes the texts of both', async t => {
  const { ours, theirs } = await socketPair(t)
  const batch = new WriteBatch(ours)
  const text = received(theirs)
  batch.start()
  ours.write('a', 'latin1')
  const end = batch.start()
  ours.write('b', 'latin1')
  end()
  ours.write('c', 'latin1')
  await until(() => text() === 'abc')
})
