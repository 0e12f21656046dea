import type { Socket } from 'node:net'

type Write = (data: string | Uint8Array, encoding?: BufferEncoding) => boolean

/**
 * Joins the texts that undici writes to a socket during a batch, and writes them as one text. The stream of a corked
 * socket would keep an object per text and pass each text to the kernel on its own, which takes twice as long.
 */
export class WriteBatch {
  readonly #socket: Socket
  readonly #write: Write
  /** The texts of the present batch that are not written; `undefined` outside a batch. */
  #text: string | undefined
  /** True if the batch has bytes beside its texts, such as a body. The socket is then corked. */
  #isCorked = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.#write = socket.write.bind(socket)
    socket.write = ((data, encoding) => this.#add(data, encoding)) as Write as Socket['write']
  }

  /** Starts a batch. Returns the function that ends it and writes its texts. */
  start(): () => void {
    this.#end()
    this.#text = ''
    return this.#end
  }

  readonly #end = (): void => {
    this.#flush()
    this.#text = undefined
    if (this.#isCorked) this.#socket.uncork()
    this.#isCorked = false
  }

  #flush(): void {
    if (this.#text !== undefined && this.#text !== '') this.#write(this.#text, 'latin1')
  }

  #add(data: string | Uint8Array, encoding?: BufferEncoding): boolean {
    if (this.#text === undefined) return this.#write(data, encoding)
    if (typeof data === 'string' && encoding === 'latin1') {
      this.#text += data
      return true
    }
    if (!this.#isCorked) this.#socket.cork()
    this.#isCorked = true
    this.#flush()
    this.#text = ''
    return this.#write(data, encoding)
  }
}
