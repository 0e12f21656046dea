/** The number of items of a chunk. The last chunk of a run can have fewer. */
export const chunkItems = 100

/** Returns a number as the last part of a name. Names in ascending order have ascending numbers. */
export function numbered(number: number): string {
  return String(number).padStart(6, '0')
}

/** The names of the objects of one run. */
export interface RunNames {
  readonly folder: string
  readonly manifest: string
  readonly ended: string
  readonly pauses: string
  readonly results: string
}

const idPattern = /^[0-9a-f]{32}$/

/** Returns true if a text has the form of the id of a run. */
export function isRunId(text: string): boolean {
  return idPattern.test(text)
}

/** Returns the names of the objects of a run. */
export function namesOf(owner: string, id: string): RunNames {
  const folder = `runs/${owner}/${id}`
  return {
    folder,
    manifest: `${folder}/manifest`,
    ended: `${folder}/ended`,
    pauses: `${folder}/pauses`,
    results: `${folder}/results`,
  }
}

/** Returns the name of the results of a chunk. */
export function resultName({ owner, id }: { readonly owner: string; readonly id: string }, chunk: number): string {
  return `${namesOf(owner, id).results}/${numbered(chunk)}`
}
