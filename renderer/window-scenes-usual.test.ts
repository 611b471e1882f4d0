import { usualScenes } from "./testing/scenes.ts";
import { testScenes } from "./testing/sound-scenes.ts";

testScenes("as it usually looks", usualScenes);
