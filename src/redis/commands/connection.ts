/** A client of any package behind one interface. */
export interface Connection {
  /** False while the client cannot send. A command that is sent then would wait in the queue of the client. */
  readonly isReady: boolean
  readonly isCluster: boolean
  /**
   * Selects the database of the client again. Rejects if the server refuses it: some clients then use another one.
   * `send` rejects until a check has succeeded, or until the client has another connection.
   */
  checkDatabase(): Promise<void>
  /**
   * Sends a command to the primary server that has a key. Check `isReady` first.
   *
   * @param key The first key of the command.
   * @param args The command and its arguments.
   */
  send(key: string, args: readonly string[]): Promise<unknown>
  /** Sets the only listener for the state of the connection. `onLost` may be called several times in a row. */
  watch(listener: ConnectionListener): void
  /**
   * Subscribes to a channel with a connection of its own.
   *
   * @param onText Called with each message.
   * @param onState Called when the subscription begins, and when messages can be lost.
   * @returns A function that ends the subscription and its connection.
   */
  subscribe(channel: string, onText: (text: string) => void, onState: (isSubscribed: boolean) => void): () => void
  /** Removes the listeners of this connection. It does not close the client. */
  detach(): void
}

/** The listener for the state of a connection. */
export interface ConnectionListener {
  /** Called when the client can send. It may be another server than before. */
  onReady(): void
  /** Called when the client cannot send. The error is the last one since the connection was ready, if there was one. */
  onLost(error: unknown): void
}
