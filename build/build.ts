/** `node build/build.ts`: makes `dist/`. Ends with status 1 if a bundle could not be made. */
import { buildAll } from "./build-all.ts";

const complete = await buildAll((line) => console.log(line));
process.exitCode = complete ? 0 : 1;
