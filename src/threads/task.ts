import type { SerializedError } from './serialize-error.ts'

/** One call of a function in a thread. */
export interface Task {
  /** The module's file, as a URL. */
  readonly href: string
  /** The function's name among its exports. */
  readonly name: string
  /** The module whose export `load` loads the file. If undefined, `import` loads it. */
  readonly loader: string | undefined
  /** The arguments of the function. */
  readonly given: readonly unknown[]
  /** The owner of the task, for messages: `aggregate 'cat-facts', merge`. */
  readonly owner: string
}

/** A task in the form that is sent to the thread. */
export type TaskMessage = Omit<Task, 'owner'>

/** The result of a task: its value, or its error. */
export type TaskResult =
  | { readonly value: unknown }
  | { readonly thrown: SerializedError }
  /** The reason why the value cannot be cloned. */
  | { readonly fault: string }
  /** The module has no such function. */
  | { readonly missing: true }
