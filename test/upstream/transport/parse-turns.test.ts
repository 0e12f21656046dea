import { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { countParsed, isTurnFull, readLater } from '../../../src/upstream/transport/parse-turns.ts'

const turnBytes = 192 * 1024

test('sockets that wait are read one after the other, as many in a turn as it has room for, and none is passed over', async t => {
  await setImmediate()
  const order: string[] = []
  const socketOf = (name: string, bytes: number, reads: number) => {
    const socket = new Socket()
    let left = reads
    socket.on('readable', () => {
      order.push(name)
      countParsed(bytes)
      if (--left > 0) readLater(socket)
    })
    return socket
  }
  const sockets = [
    socketOf('a', turnBytes, 3),
    socketOf('b', turnBytes, 2),
    socketOf('c', turnBytes, 1),
    socketOf('d', turnBytes / 2, 1),
    socketOf('e', turnBytes / 2, 1),
  ]
  countParsed(turnBytes)
  t.ok(isTurnFull())
  for (const socket of sockets) readLater(socket)

  const turns: string[] = []
  for (let turn = 0; turn < 8; turn++) {
    await setImmediate()
    turns.push(order.splice(0).join(' '))
  }
  t.same(
    turns.filter(read => read !== ''),
    ['a', 'b', 'c', 'd e', 'a', 'b', 'a'],
  )
  t.notOk(isTurnFull(), 'later turns have room')
})
