/** The number of items of a chunk. The last chunk of a run can have fewer. */
export const chunkItems = 100

/** Returns a number as the last part of a name. Names in ascending order have ascending numbers. */
export function numbered(number: number): string {
  return String(number).padStart(6, '0')
}

/** The run that names are of. */
export interface NamedRun {
  readonly owner: string
  readonly id: string
  readonly upload: string
}

/** The names of the objects of one run, without its manifest. */
export interface RunNames {
  readonly ended: string
  readonly pauses: string
  readonly results: string
}

const idPattern = /^[0-9a-f]{32}$/

/** Returns true if a text has the form of the id of a run. */
export function isRunId(text: string): boolean {
  return idPattern.test(text)
}

/** The last part of the name of a manifest. */
const manifest = 'manifest'

/** Returns the folder of a run. */
export function folderOf(owner: string, id: string): string {
  return `runs/${owner}/${id}`
}

/** Returns the name of the manifest of a run. */
export function manifestOf(owner: string, id: string): string {
  return `${folderOf(owner, id)}/${manifest}`
}

/**
 * Returns the names of the objects of a run. They are below the name of its upload: a run that was removed can be
 * created again with the same id, and objects that a slow process adds for the removed run must not belong to it.
 */
export function namesOf({ owner, id, upload }: NamedRun): RunNames {
  const folder = `${folderOf(owner, id)}/${upload}`
  return {
    ended: `${folder}/ended`,
    pauses: `${folder}/pauses`,
    results: `${folder}/results`,
  }
}

/** Returns the name of the results of a chunk. */
export function resultName(run: NamedRun, chunk: number): string {
  return `${namesOf(run).results}/${numbered(chunk)}`
}
