import type { Socket } from 'node:net'

type Write = (data: string | Uint8Array, encoding?: BufferEncoding) => boolean

/**
 * Joins the texts that undici writes to a socket during a batch, and writes them as one text. The stream of a corked
 * socket would keep an object per text and pass each text to the kernel on its own, which takes twice as long.
 */
export class WriteBatch {
  readonly #write: Write
  /** The texts of the present batch; `undefined` outside a batch. */
  #text: string | undefined

  constructor(socket: Socket) {
    this.#write = socket.write.bind(socket)
    socket.write = ((data, encoding) => this.#add(data, encoding)) as Write as Socket['write']
  }

  /** Starts a batch. Returns the function that ends it and writes its texts. */
  start(): () => void {
    this.#text = ''
    return this.#end
  }

  readonly #end = (): void => {
    const text = this.#text
    this.#text = undefined
    if (text !== undefined && text !== '') this.#write(text, 'latin1')
  }

  #add(data: string | Uint8Array, encoding?: BufferEncoding): boolean {
    if (this.#text !== undefined && typeof data === 'string' && encoding === 'latin1') {
      this.#text += data
      return true
    }
    // The order of the bytes stays.
    this.#end()
    return this.#write(data, encoding)
  }
}
