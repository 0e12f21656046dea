import { readFileSync } from 'node:fs'
import type { ListeningProcess } from '../../../lib/child.ts'
import { startServe } from '../../start-serve.ts'

type Variables = Readonly<Record<string, string>>

/** Services that share bulk runs. */
export class CrashingServices {
  readonly #variables: readonly Variables[]
  readonly #running: ListeningProcess[] = []

  /** @param variables The environment of each service. */
  constructor(variables: readonly Variables[]) {
    this.#variables = variables
  }

  async start(): Promise<void> {
    for (let index = 0; index < this.#variables.length; index++) this.#running[index] = await this.#start(index)
  }

  /** The port of the first service, which has one again after a restart. */
  get port(): number {
    return (this.#running[0] as ListeningProcess).port
  }

  /** Kills the first worker of the first service with SIGKILL. */
  killWorker(): void {
    const { pid } = this.#running[0] as ListeningProcess
    const [worker] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    process.kill(Number(worker), 'SIGKILL')
  }

  /** Kills the last service with SIGKILL, and starts it again. */
  async restart(): Promise<void> {
    const last = this.#running.length - 1
    await this.#running[last]?.stop()
    this.#running[last] = await this.#start(last)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(service => service.stop()))
  }

  #start(index: number): Promise<ListeningProcess> {
    return startServe(`service ${index}`, new URL('./definitions.ts', import.meta.url), this.#variables[index] ?? {})
  }
}
