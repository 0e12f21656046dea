// node bench/scenarios/chaos/upstream.ts: answers with the id in the path, or attacks. The path selects the behaviour.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { announce } from '../../lib/announce.ts'

const mebibyte = 2 ** 20
const json = 'content-type: application/json\r\n'
const chunked = `HTTP/1.1 200 OK\r\n${json}transfer-encoding: chunked\r\n\r\n`

const whole = (body: string | Buffer, headers = '') =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\n${json}${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n`),
    Buffer.from(body),
  ])
const ok = whole('{"ok":true}')

const text = 'x'.repeat(800)
const items = JSON.stringify(Array.from({ length: 1000 }, (_, index) => String(index).padEnd(1500, 'x')))
/** Many empty lists. Each has 3 bytes of text and uses much more memory after parsing. */
const lists = `[${'[],'.repeat(20_000)}[]]`
const nested = whole(
  gzipSync(`{"ok":true,"more":${'['.repeat(2.4 * mebibyte)}${']'.repeat(2.4 * mebibyte)}}`),
  'content-encoding: gzip\r\n',
)
const tinyChunk = Buffer.from('1\r\n \r\n'.repeat(10_000))
const hugeText = `{"ok":true,"more":"${'x'.repeat(4.9 * mebibyte)}"}`
const hints = Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(7))
const extension = Buffer.from(`1;${'x'.repeat(8000)}\r\n \r\n`.repeat(8))

/** Handlers by the first segment of the path. The rest of the path is the id. */
const answers: Readonly<Record<string, (socket: Socket, id: string) => void>> = {
  item: (socket, id) => {
    setTimeout(() => socket.write(whole(`{"id":${JSON.stringify(id)},"text":"${text}"}`)), 2 + (id.length % 5))
  },
  large: (socket, id) => socket.write(whole(`{"id":${JSON.stringify(id)},"items":${items}}`)),
  lists: (socket, id) => socket.write(whole(`{"id":${JSON.stringify(id)},"lists":${lists}}`)),
  // Sends 200,000 chunks of one byte as fast as the service reads them.
  tiny: socket => pour(socket, chunked, tinyChunk, 20, '0\r\n\r\n'),
  nested: socket => socket.write(nested),
  huge: socket => socket.write(whole(hugeText)),
  endless: socket => pour(socket, chunked, Buffer.from(`10000\r\n${' '.repeat(65_536)}\r\n`), Infinity, ''),
  heads: socket => {
    socket.write(hints)
    pour(socket, chunked, extension, 200, '0\r\n\r\n')
  },
  hanging: () => {},
  resets: socket => socket.write(ok.subarray(0, -3), () => socket.resetAndDestroy()),
  slow: socket => drip(socket, ok, 0),
}

/** Writes `part` repeatedly, as fast as the peer reads it. */
function pour(socket: Socket, head: string, part: Buffer, times: number, end: string): void {
  let left = times
  socket.write(head)
  const more = () => {
    while (left > 0) {
      if (socket.destroyed) return
      left--
      if (!socket.write(part)) return void socket.once('drain', more)
    }
    socket.write(end)
  }
  more()
}

/** Writes two bytes every 50 ms. */
function drip(socket: Socket, bytes: Buffer, at: number): void {
  if (socket.destroyed || at >= bytes.length) return
  socket.write(bytes.subarray(at, at + 2))
  setTimeout(drip, 50, socket, bytes, at + 2)
}

const server = createServer({ noDelay: true }, socket => {
  let head = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    head += chunk.toString('latin1')
    for (let end = head.indexOf('\r\n\r\n'); end !== -1; end = head.indexOf('\r\n\r\n')) {
      const [, kind = '', id = ''] = /^\w+ \/(\w+)(?:\/(\S+))? /.exec(head) ?? []
      head = head.slice(end + 4)
      answers[kind]?.(socket, id)
    }
  })
})
server.listen(0, '127.0.0.1', 1024, () => announce((server.address() as AddressInfo).port))
