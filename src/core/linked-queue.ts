/** An entry of a `LinkedQueue`. It holds its own links, so that it can be removed from anywhere in constant time. */
export interface QueueNode<N extends QueueNode<N>> {
  queue: LinkedQueue<N> | undefined
  previousInQueue: N | undefined
  nextInQueue: N | undefined
}

/** A first-in, first-out queue as a doubly linked list. Adding or removing a node takes constant time. */
export class LinkedQueue<N extends QueueNode<N>> {
  first: N | undefined
  #last: N | undefined
  size = 0

  add(node: N): void {
    node.queue = this
    node.previousInQueue = this.#last
    node.nextInQueue = undefined
    if (this.#last === undefined) this.first = node
    else this.#last.nextInQueue = node
    this.#last = node
    this.size++
  }

  remove(node: N): void {
    const { previousInQueue: previous, nextInQueue: next } = node
    if (previous === undefined) this.first = next
    else previous.nextInQueue = next
    if (next === undefined) this.#last = previous
    else next.previousInQueue = previous
    node.queue = undefined
    // Drop the links: a removed node that is tenured would retain all later nodes until the next major GC.
    node.previousInQueue = node.nextInQueue = undefined
    this.size--
  }
}
