/** Ends a claim. */
export type Release = () => Promise<void>

/**
 * Decides which process runs a chunk. A claim avoids double work. It does not protect the results, because the first
 * results of a chunk stay, whether or not a second process has run it too.
 */
export interface ChunkClaims {
  /**
   * Claims a chunk. Returns undefined if another claim holds it.
   *
   * @param upload The upload of the run.
   */
  claim(upload: string, chunk: string): Promise<Release | undefined>
}
