import { testScenes } from "./testing/sound-scenes.ts";
import { vaultScenes } from "./testing/vault-scenes.ts";

testScenes("the vault", vaultScenes);
